import { eventHash } from "@sampai/engine";
import { utf8ToBytes } from "@sampai/engine/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { appendBatch } from "../../src/order-log/append-batch.ts";
import { sqliteTransaction } from "../../src/order-log/sqlite-transaction.ts";
import { createTrailReader } from "../../src/trail/reader.ts";
import { findLeaf } from "../../src/trail/story.ts";
import { createFieldPhone, orderBody, uuid, type Captured } from "../followers/field-phone.ts";
import { createDatabaseDevice } from "../order-log/database-device.ts";

const AT = "2026-11-23T07:15:14.123Z";

test("the trail tells of an event by its offline id: when it was placed, had to wait, came again, and what else was noted", () => {
  const { db, tx, device } = createDatabaseDevice();
  const phone = createFieldPhone(device, "R1");
  const [first, second] = [1, 2].map((number) => phone.capture("orderPlaced", orderBody(number), { at: AT }));
  assert.ok(first && second);
  const come = ({ candidate }: Captured) =>
    appendBatch(sqliteTransaction(tx), { device, events: [candidate], via: "websocket" });
  come(second);
  come(first);
  come(first);
  tx.note({ topic: "verdict", device, item: first.envelope.id, detail: { code: "noted" } });
  const told = (item: string) =>
    createTrailReader(db)
      .about(item)
      .map(({ topic, detail }) => `${topic} ${String(detail["answer"] ?? detail["code"])}`);
  assert.deepEqual(told(first.envelope.id), ["admission placed", "admission duplicate", "verdict noted"]);
  assert.deepEqual(told(second.envelope.id), ["admission held", "admission placed"]);
  assert.deepEqual(told(uuid("nobody")), []);
});

test("the trail tells of an event that nobody can read by its hash", () => {
  const { db, tx, device } = createDatabaseDevice();
  const bytes = utf8ToBytes("not an event");
  const event = { run: "0".repeat(16), seq: 1, prev: null, hash: eventHash(bytes), bytes };
  appendBatch(sqliteTransaction(tx), { device, events: [event], via: "websocket" });
  const rows = createTrailReader(db).about(event.hash);
  assert.deepEqual(
    rows.map(({ topic, detail }) => [topic, detail["answer"]]),
    [["admission", "placed"]],
  );
});

test("what is told of an item is found by indexes, without reading the trail or the log", () => {
  const { db } = createDatabaseDevice();
  const prepared: string[] = [];
  const spy = { prepare: (text: string) => (prepared.push(text), db.prepare(text)) } as unknown as typeof db;
  createTrailReader(spy);
  findLeaf(spy, "x");
  const asked = prepared.filter((text) => text.includes("union"));
  assert.equal(asked.length, 2);
  for (const text of asked) {
    const given = text.includes("?2") ? ["x", 10] : ["x"];
    const plan = db.prepare(`explain query plan ${text}`).all(...given) as unknown as { detail: string }[];
    const scans = plan.filter(({ detail }) => /^SCAN (trail|log)\b/.test(detail));
    assert.deepEqual(scans, [], text);
  }
});
