import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { createNodeFiles } from "../adapters/node-files.ts";
import { openSegments } from "../src/index.ts";

test("a process killed with kill -9 while it commits loses nothing that was answered", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "sampai-kill-"));
  let answered = -1;
  for (const [life, commits] of [3, 11, 24, 40].entries()) {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, "commit-loop.ts"), root], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    let seen = 0;
    for await (const line of createInterface(child.stdout)) {
      answered = Number(line);
      seen += 1;
      if (seen === commits) child.kill("SIGKILL");
    }
    await exited;
    const storage = await openSegments(createNodeFiles(root), { mergeCommits: 8 });
    assert.deepEqual(
      storage.damage.filter(({ reason }) => reason !== "unfinished"),
      [],
      `life ${life}`,
    );
    const found = await storage.range("n/");
    assert.ok(found.length >= answered + 1, `life ${life}: ${found.length} of ${answered + 1}`);
    for (const [number, { key, value }] of found.entries()) {
      assert.equal(key, `n/${String(number).padStart(9, "0")}`);
      assert.equal(new TextDecoder().decode(value), `${number}:${"x".repeat((number * 37) % 3_000)}`);
    }
    assert.deepEqual(await storage.get("last"), found.at(-1)?.value);
    await storage.close();
  }
});
