import { eventHash } from "@sampai/engine";
import { utf8ToBytes } from "@sampai/engine/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlacedCandidate } from "../../src/order-log/admit.ts";
import { appendBatch } from "../../src/order-log/append-batch.ts";
import { sqliteTransaction } from "../../src/order-log/sqlite-transaction.ts";
import { createTrailReader } from "../../src/trail/reader.ts";
import { findLeaf } from "../../src/trail/story.ts";
import { createDatabaseDevice } from "../order-log/database-device.ts";

const RUN = "0123456789abcdef";
const idOf = (seq: number) => `018f0000-0000-7000-8000-00000000000${seq}`;

function makeEvent(device: string, seq: number, prev: string | null): PlacedCandidate {
  const at = "2026-11-23T07:15:14.123Z";
  const envelope = {
    v: 1,
    id: idOf(seq),
    kind: "order.cancelled.v1",
    workspace: "w",
    device,
    run: RUN,
    seq,
    prev,
    ...(seq === 1 ? { parent: null } : {}),
    rep: "R1",
    visit: null,
    store: null,
    at,
    offset: 480,
    zone: "Asia/Kuala_Lumpur",
    clock: { tick: 0, boot: "b", anchor: null, wall: at },
    place: { missing: "off" },
    seen: { pack: null, store: [] },
    body: {},
  };
  const bytes = utf8ToBytes(JSON.stringify(envelope));
  return { run: RUN, seq, prev, hash: eventHash(bytes), bytes };
}

test("the trail tells of an event by its offline id: when it was placed, had to wait, came again, and what else was noted", () => {
  const { db, tx, device } = createDatabaseDevice();
  const first = makeEvent(device, 1, null);
  const second = makeEvent(device, 2, first.hash);
  const come = (event: PlacedCandidate) =>
    appendBatch(sqliteTransaction(tx), { device, events: [event], via: "websocket" });
  come(second);
  come(first);
  come(first);
  tx.note({ topic: "verdict", device, item: idOf(1), detail: { code: "noted" } });
  const told = (item: string) =>
    createTrailReader(db)
      .about(item)
      .map(({ topic, detail }) => `${topic} ${String(detail["answer"] ?? detail["code"])}`);
  assert.deepEqual(told(idOf(1)), ["admission placed", "admission duplicate", "verdict noted"]);
  assert.deepEqual(told(idOf(2)), ["admission held", "admission placed"]);
  assert.deepEqual(told(idOf(3)), []);
});

test("the trail tells of an event that nobody can read by its hash", () => {
  const { db, tx, device } = createDatabaseDevice();
  const bytes = utf8ToBytes("not an event");
  const event = { run: RUN, seq: 1, prev: null, hash: eventHash(bytes), bytes };
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
  findLeaf(spy, idOf(1));
  const asked = prepared.filter((text) => text.includes("union"));
  assert.equal(asked.length, 2);
  for (const text of asked) {
    const given = text.includes("?2") ? ["x", 10] : ["x"];
    const plan = db.prepare(`explain query plan ${text}`).all(...given) as unknown as { detail: string }[];
    const scans = plan.filter(({ detail }) => /^SCAN (trail|log)\b/.test(detail));
    assert.deepEqual(scans, [], text);
  }
});
