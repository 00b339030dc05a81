import type { HttpBindings } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import type { Context, Hono } from "hono";
import { existsSync } from "node:fs";
import path from "node:path";

/** Scripts only from here and WebAssembly; photos from memory; no frames, no plug-ins. Ionic sets styles on elements. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "manifest-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Paths of the relay itself: an unknown one is an error, never the app's first page. */
const OWN = /^\/(v1|files|healthz)(\/|$)/;

/** Serves the built app: its files as they are, and its first page for every other address that a person opens. */
export function serveApp(app: Hono<{ Bindings: HttpBindings }>, folder: string | null): void {
  if (folder === null || !existsSync(path.join(folder, "index.html"))) return;
  const headers = (file: string, c: Context) => {
    c.header("content-security-policy", POLICY);
    c.header("x-content-type-options", "nosniff");
    c.header("referrer-policy", "no-referrer");
    c.header("permissions-policy", "geolocation=(self), camera=(self), microphone=()");
    // Vite names a file in `assets` after its content, so it can be kept for ever; all else is asked for each time.
    const hashed = path.relative(folder, file).startsWith(`assets${path.sep}`);
    c.header("cache-control", hashed ? "public, max-age=31536000, immutable" : "no-cache");
  };
  app.get("*", async (c, next) => {
    if (OWN.test(c.req.path)) return next();
    return serveStatic({ root: folder, onFound: headers, precompressed: true })(c, next);
  });
  const page = serveStatic({ root: folder, path: "index.html", onFound: headers });
  app.get("*", async (c, next) => {
    const opened = !OWN.test(c.req.path) && path.extname(c.req.path) === "";
    return opened ? page(c, next) : next();
  });
}
