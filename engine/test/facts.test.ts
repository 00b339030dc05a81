import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createFacts,
  createIds,
  createMemoryStorage,
  eventKinds,
  openOutbox,
  openOwnEvents,
  openSegments,
  readEvent,
  type CaptureInput,
  type ClockAnchor,
  type EventKindName,
  type Storage,
} from "../src/index.ts";
import { createSimulatedDisk } from "./simulated-disk.ts";
import { seeded } from "./seeded.ts";
import { attendance, identity } from "./simulated-phone.ts";
import { createSimulatedTime } from "./simulated-time.ts";

const STORE = "S-0481";
const time = createSimulatedTime();

async function open(storage: Storage, options: { seed?: number; anchor?: ClockAnchor } = {}) {
  const clock = time.clock("boot");
  const outbox = await openOutbox(storage, clock);
  const events = await openOwnEvents(storage, clock);
  const facts = await createFacts({
    identity,
    clock,
    ids: createIds(clock, seeded(options.seed ?? 1)),
    storage,
    events,
    outbox,
    anchor: () => options.anchor ?? null,
    packNumber: () => 17,
  });
  return { facts, outbox, events };
}
const bytesOf = async (storage: Storage) => storage.range("facts/event/");

for (const kind of Object.keys(eventKinds) as EventKindName[]) {
  test(`a ${kind} with its golden body is captured, readable and chained`, async () => {
    const { facts, events } = await open(createMemoryStorage());
    const first = await facts.capture(attendance);
    const { golden, inVisit, name } = eventKinds[kind];
    const input = { kind, body: golden, place: { missing: "denied" } } as CaptureInput;
    const id = kind === "checkIn" ? undefined : "01936a5e-0000-7000-8000-000000000002";
    const captured = await facts.capture(inVisit ? { ...input, store: STORE, visit: id ?? null } : input);
    assert.ok(first.ok && captured.ok);
    const { envelope, hash } = captured.value;
    assert.equal(envelope.kind, name);
    assert.equal(envelope.seq, 2);
    assert.equal(envelope.prev, first.value.hash);
    assert.equal(envelope.visit, kind === "checkIn" ? envelope.id : inVisit ? (id ?? "") : null);
    assert.deepEqual(envelope.seen, { pack: 17, store: [] });
    const event = events.byHash(hash);
    assert.ok(event !== undefined);
    const bytes = await events.bytesOf(event);
    assert.ok(bytes !== null);
    assert.deepEqual(readEvent(bytes), { ok: true, value: envelope });
  });
}

test("a body that does not fit its kind is refused and nothing is saved", async () => {
  const storage = createMemoryStorage();
  const { facts, outbox } = await open(storage);
  const bad = await facts.capture({
    kind: "orderPlaced",
    visit: "01936a5e-0000-7000-8000-000000000002",
    store: STORE,
    body: { ...eventKinds.orderPlaced.golden, totalSen: 1.5 },
  });
  assert.ok(!bad.ok);
  assert.equal(bad.error.code, "capture.body");
  assert.match(bad.error.detail, /totalSen/);
  assert.deepEqual(await storage.range(""), []);
  assert.equal(outbox.owed().size, 0);
});

test("an event larger than the limit, or at no possible place, is refused before it can block the queue", async () => {
  const { facts } = await open(createMemoryStorage());
  const large = {
    form: "f",
    version: 1,
    answers: Object.fromEntries(many(200).map((key) => [key, "x".repeat(1_000)])),
  };
  for (const input of [
    { kind: "auditSubmitted", body: large, visit: "01936a5e-0000-7000-8000-000000000002", store: STORE },
    {
      ...attendance,
      place: { lat: 1, lon: 1, accuracy: -1, age: 0, provider: "gps", mock: false },
    },
  ] as CaptureInput[]) {
    const refused = await facts.capture(input);
    assert.ok(!refused.ok && refused.error.code === "capture.body", JSON.stringify(refused));
  }
});

test("what belongs to a visit needs its visit and its store", async () => {
  const { facts } = await open(createMemoryStorage());
  const body = eventKinds.checkOut.golden;
  for (const input of [
    { kind: "checkOut", body },
    { kind: "checkOut", body, store: STORE },
    { kind: "checkOut", body, visit: "01936a5e-0000-7000-8000-000000000002" },
    { kind: "checkIn", body: { plan: null }, store: STORE, visit: "01936a5e-0000-7000-8000-000000000002" },
  ] as CaptureInput[]) {
    const refused = await facts.capture(input);
    assert.ok(!refused.ok && refused.error.code === "capture.visit", JSON.stringify(input));
  }
});

test("an open form keeps its offline id over a restart, until it is captured", async () => {
  const storage = createMemoryStorage();
  const first = await open(storage);
  const id = await first.facts.draft("order of S-0481/visit ü");
  assert.equal(await first.facts.draft("order of S-0481/visit ü"), id);
  assert.notEqual(await first.facts.draft("another form"), id);
  const second = await open(storage, { seed: 2 });
  assert.equal(await second.facts.draft("order of S-0481/visit ü"), id);
  const captured = await second.facts.capture({ ...attendance, id });
  assert.ok(captured.ok && captured.value.envelope.id === id);
  const third = await open(storage, { seed: 3 });
  assert.notEqual(await third.facts.draft("order of S-0481/visit ü"), id);
});

test("the same fact told twice is one fact; the same id with another body is refused", async () => {
  const { facts, outbox } = await open(createMemoryStorage());
  const id = await facts.draft("form");
  const [once, twice] = await Promise.all([facts.capture({ ...attendance, id }), facts.capture({ ...attendance, id })]);
  assert.ok(once.ok && twice.ok);
  assert.equal(once.value.hash, twice.value.hash);
  assert.equal(outbox.owed().size, 1);
  const other = await facts.capture({ kind: "attendanceStarted", body: { odometerKm: 5 }, id });
  assert.ok(!other.ok && other.error.code === "capture.id");
});

test("captures called together are numbered in the order of the calls", async () => {
  const { facts } = await open(createMemoryStorage());
  const captured = await Promise.all(many(30).map(() => facts.capture(attendance)));
  const envelopes = captured.map((one) => (one.ok ? one.value : assert.fail()));
  assert.deepEqual(
    envelopes.map(({ envelope }) => envelope.seq),
    many(30).map((_, index) => index + 1),
  );
  for (const [index, { envelope }] of envelopes.entries())
    assert.equal(envelope.prev, envelopes[index - 1]?.hash ?? null);
});

test("each start is a new run, whose first event names the last one before it", async () => {
  const storage = createMemoryStorage();
  const before = await open(storage);
  await before.facts.capture(attendance);
  const last = await before.facts.capture(attendance);
  const after = await open(storage, { seed: 2 });
  const first = await after.facts.capture(attendance);
  assert.ok(last.ok && first.ok);
  const { envelope } = first.value;
  assert.notEqual(envelope.run, last.value.envelope.run);
  assert.equal(envelope.seq, 1);
  assert.equal(envelope.prev, null);
  assert.deepEqual(envelope.parent, { run: last.value.envelope.run, seq: 2, hash: last.value.hash });
  assert.deepEqual(
    after.facts.list().map(({ state }) => state),
    ["saved", "saved", "saved"],
  );
});

test("a failed commit ends the run: what may be on the disk never gets a second event under its number", async () => {
  const disk = createSimulatedDisk();
  const { facts } = await open(await openSegments(disk));
  const one = await facts.capture(attendance);
  // The write fails and its bytes are on the disk all the same.
  const write = disk.write.bind(disk);
  disk.write = async (path, bytes) => {
    await write(path, bytes);
    throw new Error("EIO: simulated");
  };
  const failed = await facts.capture(attendance);
  assert.ok(!failed.ok && failed.error.code === "capture.storage");
  disk.write = write;
  const two = await facts.capture(attendance);
  assert.ok(one.ok && two.ok);
  assert.notEqual(two.value.envelope.run, one.value.envelope.run);
  assert.equal(two.value.envelope.parent?.hash, one.value.hash);
  assert.equal(facts.list().length, 2);
  const again = await open(await openSegments(disk), { seed: 2 });
  const places = again.facts.list().map(({ envelope }) => `${envelope.run}/${envelope.seq}`);
  assert.equal(places.length, 3, "what turned out to be durable is kept and sent");
  assert.equal(new Set(places).size, 3);
});

test("what is committed with a fact is there when the fact is, and is not when the fact is not", async () => {
  const storage = createMemoryStorage();
  const { facts } = await open(storage);
  const also = [{ key: "photos/owed", value: new Uint8Array([1]) }];
  await facts.capture({ kind: "attendanceStarted", body: { odometerKm: -1 } }, also);
  assert.equal(await storage.get("photos/owed"), undefined);
  await facts.capture(attendance, also);
  assert.deepEqual(await storage.get("photos/owed"), new Uint8Array([1]));
});

test("the time is the relay's while its anchor is of this boot, and the wall clock is told beside it", async () => {
  const relayAt = "2026-11-23T05:00:00.000Z";
  const tick = time.clock("boot").tickMs();
  const anchored = await open(createMemoryStorage(), { anchor: { boot: "boot", tick, at: relayAt } });
  const captured = await anchored.facts.capture(attendance);
  assert.ok(captured.ok);
  assert.equal(captured.value.envelope.at, relayAt);
  assert.equal(captured.value.envelope.offset, 480);
  assert.deepEqual(captured.value.envelope.clock.anchor, { tick, at: relayAt });
  assert.notEqual(captured.value.envelope.clock.wall, relayAt);
  const stale = await open(createMemoryStorage(), { anchor: { boot: "earlier", tick, at: relayAt } });
  const other = await stale.facts.capture(attendance);
  assert.ok(other.ok);
  assert.equal(other.value.envelope.at, other.value.envelope.clock.wall);
  assert.equal(other.value.envelope.clock.anchor, null);
});

test("a rotten record is counted and left where it is, and the facts around it are read", async () => {
  const storage = createMemoryStorage();
  const before = await open(storage);
  for (let count = 0; count < 3; count += 1) await before.facts.capture(attendance);
  const [, second] = await bytesOf(storage);
  assert.ok(second !== undefined);
  await storage.commit([{ key: second.key, value: second.value.slice(0, 40) }]);
  const after = await open(storage, { seed: 2 });
  assert.equal(after.events.damaged, 1);
  assert.equal(after.facts.list().length, 2);
  assert.equal((await storage.get(second.key))?.length, 40);
});

test("an event of the run that is going on here, given back by the relay, ends the run: a copy of this phone lives", async () => {
  const { facts, events } = await open(createMemoryStorage());
  const first = await facts.capture(attendance);
  assert.ok(first.ok);
  const mine = first.value.envelope;
  const copy = {
    ...mine,
    id: "01936a5e-0000-7000-8000-000000000009",
    seq: 2,
    prev: first.value.hash,
    parent: undefined,
  };
  const item = { seq: 2, prev: first.value.hash, bytes: new TextEncoder().encode(JSON.stringify(copy)) };
  await facts.keep([{ run: mine.run, item }]);
  assert.equal(events.all().length, 2);
  const next = await facts.capture(attendance);
  assert.ok(next.ok);
  assert.notEqual(next.value.envelope.run, mine.run);
  assert.equal(next.value.envelope.seq, 1);
});

test("events that the relay gives back are kept once and become owed until it acknowledges them", async () => {
  const storage = createMemoryStorage();
  const lost = await open(createMemoryStorage());
  await lost.facts.capture(attendance);
  const [event] = lost.events.all();
  assert.ok(event !== undefined);
  const bytes = await lost.events.bytesOf(event);
  assert.ok(bytes !== null);
  const given = { run: event.run, item: { seq: event.seq, prev: event.prev, bytes } };
  const phone = await open(storage, { seed: 2 });
  await phone.facts.keep([given, given]);
  await phone.facts.keep([given]);
  const again = await open(storage, { seed: 3 });
  assert.equal(again.events.all().length, 1);
  assert.deepEqual([...again.outbox.owed().keys()], [event.hash]);
  assert.equal(again.events.all()[0]?.given, true);
});

function many(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}
