import assert from "node:assert/strict";
import { test } from "node:test";
import { openForReading } from "../../src/database/connection.ts";
import { DiskFull, startWriter } from "../../src/database/writer.ts";
import type { TrailNote } from "../../src/trail/trail.ts";
import { newFolder } from "../relay-process.ts";

const row = (item: string, size = 10): TrailNote => ({
  topic: "import",
  device: null,
  item,
  detail: { text: "x".repeat(size) },
});
const neverBroken = (reason: string) => assert.fail(reason);

test("an answer comes after its commit: whoever is answered reads what was written", async () => {
  const dir = await newFolder();
  const writer = await startWriter(dir, neverBroken);
  const db = openForReading(dir);
  for (let index = 0; index < 20; index += 1) {
    await writer.run("note", { rows: [row(`item ${index}`)] });
    const found = db.prepare("select count(*) as count from trail where item = ?").get(`item ${index}`);
    assert.equal(found?.["count"], 1);
  }
  db.close();
  await writer.close();
});

test("writes that wait share one commit, and the listeners hear of it before anyone is answered", async () => {
  const dir = await newFolder();
  const writer = await startWriter(dir, neverBroken);
  const heads: number[] = [];
  writer.onCommit(({ trail }) => heads.push(trail));
  const answers = await Promise.all(
    Array.from({ length: 500 }, async (_, index) => {
      await writer.run("note", { rows: [row(`item ${index}`)] });
      return heads.at(-1) ?? 0;
    }),
  );
  assert.ok(heads.length < 250, `500 writes took ${heads.length} commits`);
  assert.equal(heads.at(-1), 500);
  for (const [index, head] of answers.entries()) assert.ok(head > index);
  assert.equal(writer.waitingBytes(), 0);
  await writer.close();
});

test("a full database refuses with its own error, keeps what was answered, and takes what fits again", async () => {
  const dir = await newFolder();
  const writer = await startWriter(dir, neverBroken, 1_048_576);
  let kept = 0;
  await assert.rejects(async () => {
    for (;;) {
      await writer.run("note", { rows: [row(`item ${kept}`, 50_000)] });
      kept += 1;
    }
  }, DiskFull);
  assert.equal(writer.waitingBytes(), 0);
  await writer.run("note", { rows: [row("small")] });
  await writer.close();
  const db = openForReading(dir);
  assert.equal(db.prepare("select count(*) as count from trail").get()?.["count"], kept + 1);
  const positions = db.prepare("select position from trail order by position").all();
  assert.deepEqual(
    positions.map(({ position }) => position),
    positions.map((_, index) => index),
  );
  db.close();
});

test("a faulty operation fails alone: those that came along with it are committed", async () => {
  const dir = await newFolder();
  const writer = await startWriter(dir, neverBroken);
  const faulty = { rows: null } as unknown as { rows: TrailNote[] };
  const results = await Promise.allSettled([
    writer.run("note", { rows: [row("before")] }),
    writer.run("note", faulty),
    writer.run("note", { rows: [row("after")] }),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  await writer.close();
  const db = openForReading(dir);
  assert.deepEqual(
    db
      .prepare("select item from trail order by position")
      .all()
      .map(({ item }) => item),
    ["before", "after"],
  );
  db.close();
});

test("closing commits what waits, and later writes are refused", async () => {
  const dir = await newFolder();
  const writer = await startWriter(dir, neverBroken);
  const waiting = Array.from({ length: 50 }, (_, index) => writer.run("note", { rows: [row(`item ${index}`)] }));
  await writer.close();
  await Promise.all(waiting);
  await assert.rejects(writer.run("note", { rows: [row("late")] }));
});
