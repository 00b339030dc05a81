import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStorage } from "../src/index.ts";
import { utcFromMs } from "../src/core/clock.ts";
import { forgettable } from "../src/sync/custody.ts";
import type { ClaimedMessage } from "../src/wire/index.ts";
import { createModelRelay } from "./model-relay.ts";
import { seeded } from "./seeded.ts";
import { attendance, crypto, identity, publicKey, startPhone } from "./simulated-phone.ts";
import { createSimulatedTime } from "./simulated-time.ts";

const DAY_MS = 86_400_000;
const TERM = "1:model";

async function world() {
  const time = createSimulatedTime();
  const relay = createModelRelay({ ...identity, publicKey, crypto, nowUtc: () => utcFromMs(time.nowMs()) });
  const storage = createMemoryStorage();
  const start = () => startPhone({ time, random: seeded(1), storage, relay });
  return { time, relay, storage, start, phone: await start() };
}

/** Five events at HQ, and what a relay answers to a claim `days` later. */
async function acknowledged(days: number) {
  const one = await world();
  for (let count = 0; count < 5; count += 1) assert.ok((await one.phone.facts.capture(attendance)).ok);
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 5_000));
  const claimed: ClaimedMessage = {
    type: "claimed",
    n: 1,
    term: TERM,
    at: utcFromMs(one.time.nowMs() + days * DAY_MS),
    tips: [],
    wants: [],
    holes: [],
    give: [],
    head: 5,
    pack: null,
    terms: [{ term: TERM, start: 0, end: null }],
    backup: { term: TERM, position: 5 },
  };
  const covered = new Set(one.phone.events.all().map(({ hash }) => hash));
  const may = (change: Partial<ClaimedMessage> = {}, size = 5, held: ReadonlySet<string> = covered) =>
    forgettable(one.phone, { claimed: { ...claimed, ...change }, covered: held, checkpointSize: size }).map(
      ({ seq }) => seq,
    );
  return { ...one, claimed, covered, may };
}

test("a phone forgets an event only thirty days after its receipt, under a checkpoint, inside a verified backup, held by the relay's tips", async () => {
  const { may, covered } = await acknowledged(31);
  assert.deepEqual(may(), [1, 2, 3, 4], "all but the end of the chain, which the next run follows");
  assert.deepEqual((await acknowledged(29)).may(), []);
  assert.deepEqual(may({}, 2), [1, 2]);
  assert.deepEqual(may({}, 0), []);
  assert.deepEqual(may({ backup: { term: TERM, position: 3 } }), [1, 2, 3]);
  assert.deepEqual(may({ backup: null }), []);
  const [first] = covered;
  assert.deepEqual(may({}, 5, new Set([...covered].filter((hash) => hash !== first))), [2, 3, 4]);
});

test("after a restore a phone forgets only what lies before the end of the term that acknowledged it", async () => {
  const { may } = await acknowledged(31);
  const terms = [
    { term: TERM, start: 0, end: 2 },
    { term: "2:model", start: 2, end: null },
  ];
  const backup = { term: "2:model", position: 5 };
  assert.deepEqual(may({ term: "2:model", terms, backup }), [1, 2]);
});

test("what was forgotten is gone after a restart too, and neither claimed as missing nor asked for", async () => {
  const { phone, start, storage, relay, time, claimed, covered } = await acknowledged(31);
  const events = forgettable(phone, { claimed, covered, checkpointSize: 5 });
  await phone.facts.forget(events);
  assert.equal(phone.facts.list().length, 1);
  phone.kill();
  assert.equal((await storage.range("facts/event/")).length, 1);
  const again = await start();
  assert.equal(again.facts.list().length, 1);
  assert.ok((await again.facts.capture(attendance)).ok);
  again.session.goOnline();
  assert.ok(await time.until(() => again.outbox.owed().size === 0, 5_000));
  const claim = relay.claims.at(-1);
  assert.ok(claim !== undefined && claim.tips.length <= 2, "forgotten events are no tips");
  assert.equal(again.facts.list().length, 2, "the relay gives back what was forgotten");
  assert.equal(relay.holes.size, 0);
});

test("a restored relay hears which positions it lost before anything gets a new place, and the events are owed until they are back", async () => {
  const { phone, relay, time } = await acknowledged(0);
  const receipts = phone.events.all().map(({ hash }) => [phone.outbox.receipt(hash)?.position, hash]);
  phone.network.cut();
  relay.rollBack(2);
  const sizes: number[] = [];
  phone.network.onAnswer = (message) => {
    if (message.type === "claimed") sizes.push(relay.log.length);
    return true;
  };
  let owedAgain = 0;
  phone.outbox.onChange(() => {
    owedAgain = Math.max(owedAgain, phone.outbox.owed().size);
  });
  assert.ok(await time.until(() => relay.log.length === 5 && phone.outbox.owed().size === 0, 10_000));
  const told = relay.claims.find(({ voided }) => voided !== undefined)?.voided;
  assert.deepEqual(told, [{ term: TERM, events: receipts.slice(2) }]);
  assert.deepEqual(sizes.slice(0, 2), [2, 2], "both claims were answered before an event was placed");
  assert.equal(owedAgain, 3);
  assert.ok(
    phone.facts.list().every(({ state, term }, index) => state === "at-hq" && (index < 2 || term === "2:model")),
  );
});
