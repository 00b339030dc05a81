import type { HttpBindings } from "@hono/node-server";
import { problem, refusals, type Refusal } from "@sampai/engine/wire";
import { Hono, type Context } from "hono";
import { cors } from "hono/cors";
import { timingSafeEqual } from "node:crypto";
import type { RelayContext } from "./context.ts";
import { DiskFull } from "./database/writer.ts";
import { secretHash } from "./devices/tokens.ts";
import { FULL_RETRY_MS } from "./relay/append.ts";
import type { Caller } from "./relay/part.ts";
import type { RefusalNotes } from "./relay/refusal-notes.ts";
import { remoteAddress } from "./remote-address.ts";
import { rooms } from "./rooms.ts";
import type { Access, Route } from "./route.ts";
import { serveApp } from "./static-app.ts";

/** Where Capacitor's web views say that they are. */
const APP_ORIGINS = ["https://localhost", "capacitor://localhost"];
const BODY_BYTES = 65_536;

/** Every endpoint there is, in one table: the relay's own, then the rooms'. */
export function routeTable(context: RelayContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/healthz",
      access: "public",
      does: "Says that the relay runs.",
      handle: (c) => c.json({ ok: true, at: new Date(context.clock.wallMs()).toISOString() }),
    },
    ...rooms.flatMap((room) => room.routes?.(context) ?? []),
  ];
}

/** Serves the table. For each request: who is it, how large is it, and only then what does it say. */
export function createHttp(context: RelayContext, operatorKey: string, notes: RefusalNotes) {
  const app = new Hono<{ Bindings: HttpBindings }>();
  const refuse = (c: Context, refusal: Refusal, caller: Caller | null): Response => {
    const from = caller === null ? { address: remoteAddress(c) } : { device: caller.device };
    notes.note(refusal, from, { via: `${c.req.method} ${c.req.routePath}` });
    return problemResponse(refusal);
  };
  // The Android and iOS apps are pages of their own origin. Tokens travel in a header, so nothing rides along unasked.
  const fromApps = {
    origin: [...APP_ORIGINS],
    allowHeaders: ["authorization", "content-type", "if-none-match", "a-im"],
    exposeHeaders: ["etag", "sampai-signature"],
    maxAge: 600,
  };
  app.use("/v1/*", cors(fromApps));
  for (const route of routeTable(context)) {
    app.on(route.method, route.path, async (c) => {
      const caller = authenticate(context, route.access, bearerOf(c), operatorKey);
      if ("code" in caller) return unread(c, refuse(c, caller, null));
      const tooLarge = bodyRefusal(c, route.bodyBytes === undefined ? BODY_BYTES : route.bodyBytes);
      if (tooLarge !== null) return unread(c, refuse(c, tooLarge, caller.caller));
      const answer = await route.handle(c, caller.caller);
      return answer instanceof Response ? answer : refuse(c, answer, caller.caller);
    });
  }
  serveApp(app, context.config.app);
  app.notFound(() => problemResponse({ code: "request.unknown" }));
  app.onError((error, c) => {
    if (error instanceof DiskFull) return problemResponse({ code: "storage.full", retryAfterMs: FULL_RETRY_MS });
    context.log.error({ route: c.req.routePath, error: error.stack ?? String(error) }, "a route threw");
    return problemResponse({ code: "relay.busy" });
  });
  return app;
}

/** RFC 9457. */
export function problemResponse(refusal: Refusal): Response {
  const headers = new Headers({ "content-type": "application/problem+json", "cache-control": "no-store" });
  if (refusal.retryAfterMs !== undefined) headers.set("retry-after", String(Math.ceil(refusal.retryAfterMs / 1_000)));
  return new Response(JSON.stringify(problem(refusal)), { status: refusals[refusal.code].status, headers });
}

function authenticate(
  context: RelayContext,
  access: Access,
  bearer: string | undefined,
  operatorKey: string,
): { caller: Caller | null } | Refusal {
  if (access === "public") return { caller: null };
  if (access === "operator") {
    if (bearer === undefined) return { code: "auth.missing" };
    const same = timingSafeEqual(Buffer.from(secretHash(bearer)), Buffer.from(secretHash(operatorKey)));
    return same ? { caller: null } : { code: "auth.unknown" };
  }
  const caller = context.tokens.callerOf(bearer);
  if (!caller.ok) return caller.error;
  if (access !== "device" && !access.includes(caller.value.role)) return { code: "auth.role" };
  return { caller: caller.value };
}

/** Judges a body by its declared length, which the HTTP parser then holds it to; null: it may be read. */
function bodyRefusal(c: Context, most: number | null): Refusal | null {
  if (most === null || c.req.header("transfer-encoding") === undefined) {
    const declared = Number(c.req.header("content-length") ?? 0);
    return most !== null && declared > most ? { code: "frame.oversized", detail: `${most} bytes` } : null;
  }
  return { code: "request.malformed", detail: "say the content-length" };
}

/** An answer given before the body was read: the connection cannot carry another request. */
function unread(c: Context, response: Response): Response {
  if (c.req.method !== "GET" && c.req.method !== "HEAD") response.headers.set("connection", "close");
  return response;
}

function bearerOf(c: Context): string | undefined {
  return /^Bearer ([\w-]{1,200})$/i.exec(c.req.header("authorization") ?? "")?.[1];
}
