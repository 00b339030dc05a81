import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as pollAgain } from "node:timers/promises";
import { openForReading } from "../../src/database/connection.ts";
import { commandLine, newFolder, sampai } from "../relay-process.ts";
import { demoFolder } from "./demo-files.ts";

const POLL_MS = 10;
/** Stores and plans of the demo workspace. */
const ALL = 262;

/** Documents that are durable in the folder now; 0 while there is no database yet. */
function documentsIn(dir: string): number {
  try {
    const db = openForReading(dir);
    const row = db.prepare("select count(*) as count from document").get();
    db.close();
    return Number(row?.["count"]);
  } catch {
    return 0;
  }
}

/** A folder in which an import was killed after its first document was durable and before its last. */
async function killedImport(): Promise<string> {
  for (;;) {
    const dir = await newFolder();
    const child = spawn(process.execPath, [commandLine, "import", demoFolder, "--dir", dir]);
    const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    while (documentsIn(dir) === 0 && child.exitCode === null) await pollAgain(POLL_MS);
    child.kill("SIGKILL");
    if ((await ended)[1] === "SIGKILL" && documentsIn(dir) < ALL) return dir;
    // A busy machine let it come to its end first.
    await rm(dir, { recursive: true });
  }
}

test(
  "an import killed in the middle leaves whole documents, and the same import again completes it",
  { timeout: 90_000 },
  async () => {
    const dir = await killedImport();
    const before = documentsIn(dir);
    const again = await sampai("import", demoFolder, "--dir", dir, "--json");
    assert.equal(again.status, 0, again.err);
    const summary = JSON.parse(again.out) as Record<"stores" | "plans", { created: number; unchanged: number }>;
    assert.equal(summary.stores.created + summary.plans.created, ALL - before);
    assert.equal(summary.stores.unchanged + summary.plans.unchanged, before);
    const db = openForReading(dir);
    const packs = db.prepare("select count(*) as count from pack").get();
    assert.equal(packs?.["count"], 1, "the pack was issued once");
    db.close();
    await rm(dir, { recursive: true });
  },
);
