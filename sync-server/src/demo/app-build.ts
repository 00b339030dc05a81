import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

/** `none`: there is nothing to build here. `failed`: the builder's own words are in `said`. */
export type AppBuild =
  | { readonly state: "built" | "fresh"; readonly folder: string }
  | { readonly state: "none" }
  | { readonly state: "failed"; readonly said: string };

/** What the built app is made of, from the project's root. */
const SOURCES = [
  "app/src",
  "app/public",
  "app/index.html",
  "app/vite.config.ts",
  "app/package.json",
  "engine/src",
  "engine/adapters",
  "package-lock.json",
];

/** Builds the app where its sources changed since the last build. Takes half a minute then, and no time otherwise. */
export async function buildApp(root: string, say: (line: string) => void): Promise<AppBuild> {
  if (!existsSync(path.join(root, "app/index.html"))) return { state: "none" };
  const folder = path.join(root, "app/dist");
  const stamp = path.join(root, "node_modules/.cache/sampai-app-build");
  const sources = hashOf(root);
  const builtFrom = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  if (builtFrom === sources && existsSync(path.join(folder, "index.html"))) return { state: "fresh", folder };
  say("Building the app (once per change of its sources) …");
  const vite = path.join(root, "node_modules/vite/bin/vite.js");
  const child = spawn(process.execPath, [vite, "build", "--logLevel", "warn"], { cwd: path.join(root, "app") });
  let said = "";
  child.stdout.on("data", (text: Buffer) => (said += text.toString()));
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0) return { state: "failed", said };
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, sources);
  return { state: "built", folder };
}

function hashOf(root: string): string {
  const hash = createHash("sha256");
  const add = (file: string) => {
    if (!existsSync(file)) return;
    if (statSync(file).isDirectory()) {
      for (const name of readdirSync(file).sort(byName)) add(path.join(file, name));
      return;
    }
    hash.update(path.relative(root, file)).update("\0").update(readFileSync(file)).update("\0");
  };
  for (const source of SOURCES) add(path.join(root, source));
  return hash.digest("hex");
}

const byName = (a: string, b: string) => (a < b ? -1 : 1);
