import assert from "node:assert/strict";
import { test } from "node:test";
import { eventBytes, eventKinds, readEvent, type Envelope } from "../src/index.ts";

const envelope: Envelope = {
  v: 1,
  id: "01936a5e-0000-7000-8000-000000000001",
  kind: "order.placed.v1",
  workspace: "demo",
  device: "d1",
  run: "0123456789abcdef",
  seq: 1,
  prev: null,
  parent: null,
  rep: "R012",
  visit: "01936a5e-0000-7000-8000-000000000002",
  store: "S-0481",
  at: "2026-11-23T07:15:14.123Z",
  offset: 480,
  zone: "Asia/Kuala_Lumpur",
  clock: { tick: 1, boot: "b", anchor: null, wall: "2026-11-23T07:15:14.123Z" },
  place: { missing: "denied" },
  seen: { pack: 17, store: [] },
  body: eventKinds.orderPlaced.golden,
};

for (const kind of Object.values(eventKinds)) {
  test(`the golden sample of ${kind.name} fits its own schema`, () => {
    assert.deepEqual(kind.body.parse(kind.golden), kind.golden);
  });
}

test("an event reads back as it was written", () => {
  const read = readEvent(eventBytes(envelope));
  assert.ok(read.ok);
  assert.deepEqual(read.value, envelope);
});

for (const [what, text] of [
  ["duplicate keys", '{"v":1,"v":1}'],
  ["a number that is written in two ways", '{"v":1.0}'],
  ["white space", '{ "v":1}'],
  ["no JSON", "{"],
] as const) {
  test(`bytes with ${what} are opaque, because two readers could see different values`, () => {
    const read = readEvent(new TextEncoder().encode(text));
    assert.ok(!read.ok && read.error.code === "opaque");
  });
}

test("a byte order mark makes bytes opaque", () => {
  const read = readEvent(new Uint8Array([0xef, 0xbb, 0xbf, ...eventBytes(envelope)]));
  assert.ok(!read.ok && read.error.code === "opaque");
});
