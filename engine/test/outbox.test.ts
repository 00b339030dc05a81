import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createLanes,
  createMemoryStorage,
  createNotes,
  openAttempts,
  openMeter,
  openOutbox,
  type LaneName,
  type NetworkKind,
} from "../src/index.ts";
import { limits } from "../src/wire/index.ts";
import { createSimulatedTime } from "./simulated-time.ts";

const rest = () => new Promise<void>((resolve) => setImmediate(resolve));

const standing = createSimulatedTime().clock("b");

test("a lower lane enters only when no higher one waits to send", async () => {
  const lanes = createLanes();
  const entered: LaneName[] = [];
  const enter = (lane: LaneName) =>
    lanes.enter(lane).then((release) => {
      entered.push(lane);
      return release;
    });
  lanes.waiting("facts", true);
  lanes.waiting("documents", true);
  const photo = enter("photos");
  const document = enter("documents");
  const fact = enter("facts");
  await rest();
  assert.deepEqual(entered, ["facts"]);
  assert.ok(lanes.mustYield("photos") && lanes.mustYield("documents") && !lanes.mustYield("facts"));
  (await fact)();
  await rest();
  assert.deepEqual(entered, ["facts"], "more facts wait");
  lanes.waiting("facts", false);
  await rest();
  assert.deepEqual(entered, ["facts", "documents"]);
  (await document)();
  await rest();
  assert.deepEqual(entered, ["facts", "documents"], "more documents wait");
  lanes.waiting("documents", false);
  await rest();
  assert.deepEqual(entered, ["facts", "documents", "photos"]);
  assert.ok(!lanes.mustYield("photos"));
  (await photo)();
});

test("what was sent and is not answered yet holds no lower lane up", async () => {
  const lanes = createLanes();
  const releases = await Promise.all([lanes.enter("facts"), lanes.enter("facts"), lanes.enter("photos")]);
  for (const release of releases) release();
  assert.ok(!lanes.mustYield("photos"));
});

test("attempts are numbered without a gap over a restart, bounded, and told once", async () => {
  const storage = createMemoryStorage();
  const clock = createSimulatedTime().clock("b");
  const open = async () => {
    const notes = createNotes(storage, clock, [() => attempts.writes()]);
    const attempts = await openAttempts(storage, () => notes.changed());
    return { attempts, notes };
  };
  const attempt = { at: "2026-11-23T01:00:00.000Z", lane: "link", bytes: 0, outcome: "failed", tookMs: 1 } as const;
  const first = await open();
  for (let count = 0; count < limits.attempts + 20; count += 1) first.attempts.note(attempt);
  assert.equal(first.attempts.untold(3).at(-1)?.number, 23);
  first.attempts.told(23);
  await first.notes.flush();
  const second = await open();
  assert.equal(second.attempts.list().length, limits.attempts);
  assert.equal(second.attempts.untold(1)[0]?.number, 24);
  second.attempts.note(attempt);
  assert.equal(second.attempts.list().at(-1)?.number, limits.attempts + 21);
  assert.equal((await storage.range("outbox/attempt/")).length, limits.attempts);
});

test("P39 bytes are counted by day, kind of network and lane, remembered over a restart, and begin anew with the day", async () => {
  const storage = createMemoryStorage();
  let day = "2026-11-23";
  let kind: NetworkKind = "wifi";
  const open = () => openMeter({ storage, day: () => day, network: () => kind, changed: () => {} });
  const first = await open();
  first.sent("facts", 100);
  kind = "mobile";
  first.sent("facts", 7);
  first.received("photos", 30);
  await storage.commit(first.writes());
  assert.deepEqual(first.writes(), []);
  const second = await open();
  second.sent("link", 5);
  assert.deepEqual(second.total(), { day, sentBytes: 112, receivedBytes: 30 });
  assert.deepEqual(second.byLane().facts, { sentBytes: 107, receivedBytes: 0 });
  const { wifi, mobile, roaming } = second.today().networks;
  assert.deepEqual([wifi.facts.sentBytes, mobile.facts.sentBytes, roaming.facts.sentBytes], [100, 7, 0]);
  assert.deepEqual([second.laneBytes("mobile", "photos"), second.laneBytes("wifi", "photos")], [30, 0]);
  day = "2026-11-24";
  assert.deepEqual(second.total(), { day, sentBytes: 0, receivedBytes: 0 });
});

test("a receipt is durable before it is shown, and a restart shows the same", async () => {
  const storage = createMemoryStorage();
  const outbox = await openOutbox(storage, standing);
  const hash = "ab".repeat(32);
  const place = { run: "0123456789abcdef", seq: 1, prev: null, hash };
  const owed = { ...place, order: true, at: "2026-11-23T01:00:00.000Z" };
  await storage.commit([outbox.owe(owed)]);
  outbox.owes(owed);
  assert.deepEqual(outbox.queue(), { events: 1, orders: 1, oldestAt: owed.at });
  const receipt = { ...place, term: "1:a/b", position: 7, at: "2026-11-23T02:00:00.000Z" };
  const pending = outbox.acknowledge([receipt], []);
  assert.equal(outbox.receipt(hash), undefined);
  await pending;
  for (const one of [outbox, await openOutbox(storage, standing)]) {
    assert.deepEqual(one.receipt(hash), receipt);
    assert.equal(one.owed().size, 0);
    assert.deepEqual(one.terms(), [{ term: "1:a/b", position: 7 }]);
  }
});

test("a receipt that cannot be made durable is not shown", async () => {
  const storage = createMemoryStorage();
  const outbox = await openOutbox({ ...storage, commit: () => Promise.reject(new Error("full")) }, standing);
  const receipt = { run: "r", seq: 1, prev: null, hash: "h", term: "1", position: 1, at: "" };
  outbox.owes({ run: "r", seq: 1, prev: null, hash: "h", order: false, at: "" });
  await assert.rejects(outbox.acknowledge([receipt], []));
  assert.equal(outbox.receipt("h"), undefined);
  assert.equal(outbox.owed().size, 1);
});
