import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStorage, type Storage } from "../src/index.ts";
import { utcFromMs } from "../src/core/clock.ts";
import { linkHappenings, linkStates } from "../src/sync/link-states.ts";
import { decodeFrame, encodeFrame, relayMessageSchema, type RelayMessage } from "../src/wire/index.ts";
import { createModelRelay } from "./model-relay.ts";
import { seeded } from "./seeded.ts";
import { attendance, crypto, identity, publicKey, startPhone } from "./simulated-phone.ts";
import { createSimulatedTime } from "./simulated-time.ts";

async function world(options: { storage?: Storage; ticket?: { status: number; code: string } } = {}) {
  const time = createSimulatedTime();
  const random = seeded(1);
  const relay = createModelRelay({ ...identity, publicKey, crypto, nowUtc: () => utcFromMs(time.nowMs()) });
  const storage = options.storage ?? createMemoryStorage();
  const { ticket } = options;
  const start = () => startPhone({ time, random, storage, relay, ...(ticket === undefined ? {} : { ticket }) });
  return { time, relay, storage, start, phone: await start() };
}
type World = Awaited<ReturnType<typeof world>>;

async function capture(phone: World["phone"], times: number) {
  const hashes: string[] = [];
  for (let number = 0; number < times; number += 1) {
    const captured = await phone.facts.capture(attendance);
    assert.ok(captured.ok);
    hashes.push(captured.value.hash);
  }
  return hashes;
}
const placed = ({ relay }: World) => relay.log.map((event) => event?.hash ?? "hole");

test("every state of the link has an answer to everything that can happen", () => {
  for (const [state, row] of Object.entries(linkStates))
    for (const happening of linkHappenings) assert.ok(row[happening].to in linkStates, `${state} ${happening}`);
});

test("what was captured offline goes out in order when the phone comes online, and is shown at HQ only then", async () => {
  const one = await world();
  const hashes = await capture(one.phone, 5);
  assert.deepEqual(
    one.phone.facts.list().map(({ state }) => state),
    ["saved", "saved", "saved", "saved", "saved"],
  );
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 5_000));
  assert.deepEqual(placed(one), hashes);
  assert.deepEqual(
    one.phone.facts.list().map(({ state, position, term }) => [state, position, term]),
    hashes.map((_, position) => ["at-hq", position, "1:model"]),
  );
});

test("what is captured while online goes at once", async () => {
  const one = await world();
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.session.state() === "online", 5_000));
  const hashes = await capture(one.phone, 1);
  await one.time.advance(50);
  assert.deepEqual(placed(one), hashes);
});

test("a lost acknowledgement is asked for again and the relay's duplicate answer settles it", async () => {
  const one = await world();
  const hashes = await capture(one.phone, 3);
  let lost = false;
  one.phone.network.onAnswer = (message) => {
    if (message.type !== "appended" || lost) return true;
    lost = true;
    return false;
  };
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 10_000));
  assert.ok(lost);
  assert.deepEqual(placed(one), hashes);
  assert.equal(one.relay.duplicates, 3);
  assert.deepEqual(
    one.phone
      .attempts()
      .filter(({ lane }) => lane === "facts")
      .map(({ outcome }) => outcome),
    ["lost", "acknowledged"],
  );
  assert.equal(one.phone.events.all().length, 3, "nothing was given back: the claim covered it");
});

test("the claim comes first on every contact and covers what this phone holds", async () => {
  const one = await world();
  const [, , last] = await capture(one.phone, 3);
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 5_000));
  await one.time.advance(5_000);
  const [first, second] = one.relay.claims;
  assert.deepEqual(
    first?.tips.map(({ hash }) => hash),
    [last],
  );
  assert.deepEqual([first?.queue.events, second?.queue.events], [3, 0], "the emptied queue is claimed too");
  assert.ok(second?.attempts.some(({ lane, outcome }) => lane === "facts" && outcome === "acknowledged"));
  one.phone.network.cut();
  assert.ok(await one.time.until(() => one.relay.claims.length > 2, 5_000));
  assert.equal(one.relay.claims[2]?.acks[0]?.position, 2);
  assert.equal(one.relay.log.length, 3);
});

test("attempts are told to the relay once", async () => {
  const one = await world();
  await capture(one.phone, 1);
  for (let contact = 0; contact < 4; contact += 1) {
    one.phone.session.goOnline();
    await one.time.advance(4_000);
    one.phone.session.goOffline();
  }
  const numbers = one.relay.claims.flatMap(({ attempts }) => attempts.map(({ number }) => number));
  assert.ok(numbers.length > 3);
  assert.deepEqual(numbers, [...new Set(numbers)]);
});

test("an event that the relay holds back is followed by what it wants", async () => {
  const one = await world();
  const hashes = await capture(one.phone, 4);
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 5_000));
  // The relay forgets its end; the phone is not told, and goes on.
  one.relay.rollBack(2);
  hashes.push(...(await capture(one.phone, 1)));
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 5_000));
  assert.deepEqual(placed(one), hashes);
  assert.equal(one.relay.held.size, 0);
  assert.equal(one.phone.network.opened, 1);
});

test("a relay that lost its end is given everything again, with new receipts in its new term", async () => {
  const one = await world();
  const hashes = await capture(one.phone, 6);
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 5_000));
  one.relay.rollBack(1);
  one.phone.session.networkChanged();
  assert.ok(await one.time.until(() => one.relay.log.length === 6, 5_000));
  await one.time.advance(1_000);
  assert.deepEqual(placed(one), hashes);
  assert.equal(one.phone.facts.list()[5]?.term, "2:model");
  const acks = one.relay.claims.at(-1)?.acks.map(({ term }) => term);
  assert.deepEqual(acks, ["1:model"]);
  one.phone.network.cut();
  await one.time.advance(3_000);
  assert.deepEqual(
    one.relay.claims.at(-1)?.acks.map(({ term }) => term),
    ["1:model", "2:model"],
  );
});

test("a branch acknowledges the event and ends the run", async () => {
  const storage = createMemoryStorage();
  const one = await world({ storage });
  await capture(one.phone, 1);
  // A live clone: another process with the same bytes captures under the same run and number.
  const twin = await one.start();
  await capture(one.phone, 1);
  const run = one.phone.facts.list()[1]?.envelope.run;
  assert.ok(run !== undefined);
  one.phone.session.goOnline();
  let branched = false;
  one.phone.network.onAnswer = () => true;
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 5_000));
  const receive = one.relay.receive.bind(one.relay);
  one.relay.receive = async (frame) => {
    const answer = await receive(frame);
    return answer === null ? null : branchInstead(answer, () => (branched = true));
  };
  await capture(one.phone, 1);
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 5_000));
  assert.ok(branched);
  await capture(one.phone, 1);
  const last = one.phone.facts.list().at(-1)?.envelope;
  assert.notEqual(last?.run, run);
  assert.equal(last?.seq, 1);
  assert.deepEqual(last.parent?.hash, one.phone.facts.list().at(-2)?.hash);
  twin.kill();
});

test("a quarantined event is shown as refused, stays owed, and is offered again at the next contact", async () => {
  const one = await world();
  const hashes = await capture(one.phone, 2);
  one.relay.revoked = true;
  one.phone.session.goOnline();
  await one.time.advance(3_000);
  assert.deepEqual(
    one.phone.facts.list().map(({ state }) => state),
    ["refused", "refused"],
  );
  assert.equal(one.phone.outbox.owed().size, 2);
  one.relay.revoked = false;
  one.phone.session.networkChanged();
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 5_000));
  assert.deepEqual(placed(one), hashes);
  assert.deepEqual(
    one.phone.facts.list().map(({ state }) => state),
    ["at-hq", "at-hq"],
  );
});

test("an event that cannot be read any more is declared a hole, and what follows it is placed", async () => {
  const storage = createMemoryStorage();
  const one = await world({ storage });
  const hashes = await capture(one.phone, 4);
  one.phone.kill();
  const [, second] = await storage.range("facts/event/");
  assert.ok(second !== undefined);
  await storage.commit([{ key: second.key, value: new Uint8Array([1, 2, 3]) }]);
  const again = await one.start();
  again.session.goOnline();
  assert.ok(await one.time.until(() => again.outbox.owed().size === 0, 10_000));
  assert.equal(one.relay.claims[0]?.damaged, 1);
  assert.ok(one.relay.claims[0]?.tips.some(({ hash }) => hash === hashes[1]));
  assert.deepEqual([...placed(one)].sort(), [hashes[0], "hole", hashes[2], hashes[3]].sort());
  assert.ok(placed(one).indexOf("hole") < placed(one).indexOf(hashes[2] ?? ""));
});

test("what the relay holds of this device and the phone has lost is taken back into custody", async () => {
  const one = await world();
  const hashes = await capture(one.phone, 3);
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 5_000));
  one.phone.kill();
  // The phone comes back empty, as after a restored backup from before its first event.
  const empty = await startPhone({
    time: one.time,
    random: seeded(2),
    storage: createMemoryStorage(),
    relay: one.relay,
  });
  const [own] = await capture(empty, 1);
  empty.session.goOnline();
  assert.ok(await one.time.until(() => empty.outbox.owed().size === 0 && empty.events.all().length === 4, 5_000));
  assert.deepEqual(new Set(empty.events.all().map(({ hash }) => hash)), new Set([...hashes, own]));
  assert.equal(one.relay.log.length, 4);
});

test("of a row of failed tries only the first, second, fourth and so on are noted, and a changed network is tried at once", async () => {
  const one = await world();
  one.phone.network.up = false;
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.network.opened === 12, 60_000));
  const failed = one.phone.attempts().filter(({ outcome }) => outcome === "failed");
  assert.equal(failed.length, 4);
  one.phone.network.up = true;
  one.phone.session.networkChanged();
  await one.time.advance(100);
  assert.equal(one.phone.session.state(), "online");
});

test("a connection that fails before the platform has even handed it over is a failed try, and the next one is planned", async () => {
  const one = await world();
  const open = one.phone.network.open.bind(one.phone.network);
  one.phone.network.open = (events) => {
    const connection = open(events);
    connection.close();
    return connection;
  };
  one.phone.session.goOnline();
  assert.equal(one.phone.session.state(), "waiting");
  assert.notEqual(one.phone.session.nextTryAt(), null);
  assert.deepEqual(
    one.phone.attempts().map(({ outcome }) => outcome),
    ["failed"],
  );
  one.phone.network.open = open;
  assert.ok(await one.time.until(() => one.phone.session.state() === "online", 5_000));
});

test("on a link that is up for 5 s and down for 5 s the phone is online within 1.5 s of each return, from the first to the twentieth", async () => {
  const one = await world();
  one.phone.session.goOnline();
  for (let drops = 0; drops < 20; drops += 1) {
    assert.ok(await one.time.until(() => one.phone.session.state() === "online", 1_500), `after ${drops} drops`);
    await one.time.advance(4_000);
    one.phone.network.up = false;
    one.phone.network.cut();
    await one.time.advance(5_000);
    one.phone.network.up = true;
  }
});

test("a relay that fails on every contact, after it answered the claim, is tried ever more rarely", async () => {
  const one = await world();
  await capture(one.phone, 1);
  one.phone.network.onAnswer = (message) => message.type !== "appended";
  one.phone.session.goOnline();
  await one.time.advance(60_000);
  assert.ok(one.phone.network.opened <= 9, `${one.phone.network.opened} contacts in a minute`);
  assert.equal(one.phone.outbox.owed().size, 1);
  one.phone.network.onAnswer = null;
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 60_000));
  one.phone.network.cut();
  assert.ok(await one.time.until(() => one.phone.session.state() === "online", 200), "a contact of use counts again");
});

test("a relay that is busy for everybody is asked twice as rarely each time, although nothing but HTTP says so", async () => {
  const one = await world({ ticket: { status: 503, code: "relay.busy" } });
  one.phone.network.up = false;
  one.phone.session.goOnline();
  await one.time.advance(120_000);
  assert.ok(one.phone.network.opened <= 10, `${one.phone.network.opened} tries in two minutes`);
  assert.equal(one.phone.session.state(), "waiting");
});

test("a half-open link is given up when a request stays unanswered, and everything arrives over the next one", async () => {
  const one = await world();
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.session.state() === "online", 5_000));
  one.phone.network.silent = true;
  const hashes = await capture(one.phone, 2);
  await one.time.advance(14_000);
  assert.equal(one.phone.session.state(), "online");
  await one.time.advance(6_000);
  assert.notEqual(one.phone.session.state(), "online");
  one.phone.network.silent = false;
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 120_000));
  assert.deepEqual(placed(one), hashes);
});

test("a link that died while only photos moved is found dead within 20 s of the doubt, and one that lives is kept", async () => {
  const one = await world();
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.session.state() === "online", 5_000));
  await one.time.advance(10_000);
  const claims = one.relay.claims.length;
  one.phone.session.doubt();
  await one.time.advance(20_000);
  assert.equal(one.relay.claims.length, claims + 1, "the relay was asked");
  assert.equal(one.phone.network.opened, 1);
  one.phone.network.silent = true;
  one.phone.session.doubt();
  assert.ok(await one.time.until(() => one.phone.session.state() !== "online", 20_000));
  one.phone.network.silent = false;
  assert.ok(await one.time.until(() => one.phone.session.state() === "online", 12_000));
});

test("an opening into silence is given up after 10 s, twice as late each time up to a minute, so that a returning signal is found", async () => {
  const one = await world();
  one.phone.network.silent = true;
  one.phone.session.goOnline();
  const lasted: number[] = [];
  for (let tries = 0; tries < 5; tries += 1) {
    assert.ok(await one.time.until(() => one.phone.session.state() === "connecting", 31_000));
    const from = one.time.nowMs();
    assert.ok(await one.time.until(() => one.phone.session.state() === "waiting", 61_000));
    lasted.push(one.time.nowMs() - from);
  }
  assert.deepEqual(lasted, [10_000, 20_000, 40_000, 60_000, 60_000]);
});

test("a device that the relay does not want keeps its work, says why, and does not hammer", async () => {
  const one = await world({ ticket: { status: 403, code: "auth.revoked" } });
  await capture(one.phone, 1);
  one.phone.network.up = false;
  one.phone.session.goOnline();
  await one.time.advance(5_000);
  assert.equal(one.phone.session.state(), "refused");
  assert.deepEqual(one.phone.session.refusal(), { code: "auth.revoked" });
  assert.equal(one.phone.network.opened, 1);
  await one.time.advance(600_000);
  assert.equal(one.phone.network.opened, 1);
  assert.equal(one.phone.outbox.owed().size, 1);
});

test("a relay that closes with the code of a refusal is believed at once", async () => {
  const one = await world();
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.session.state() === "online", 5_000));
  one.phone.network.cut({ code: 4403, reason: "auth.revoked" });
  assert.equal(one.phone.session.state(), "refused");
  assert.deepEqual(one.phone.session.refusal(), { code: "auth.revoked" });
  one.phone.session.goOnline();
  await one.time.advance(1_000);
  assert.equal(one.phone.session.state(), "online");
});

test("a refusal that ends no connection is not taken for the reason when the connection is lost later", async () => {
  const one = await world();
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.session.state() === "online", 5_000));
  one.phone.network.say({ type: "refused", n: null, code: "doc.scope" });
  one.phone.network.cut();
  assert.ok(await one.time.until(() => one.phone.session.state() === "online", 5_000));
  assert.equal(one.phone.session.refusal(), null);
});

test("a busy relay is given time and the batch is sent again on the same connection", async () => {
  const one = await world();
  const receive = one.relay.receive.bind(one.relay);
  let busy = 1;
  one.relay.receive = async (frame) => {
    const answer = await receive(frame);
    if (answer === null || busy === 0) return answer;
    return refuseInstead(answer, () => (busy -= 1));
  };
  const hashes = await capture(one.phone, 2);
  one.phone.session.goOnline();
  assert.ok(await one.time.until(() => one.phone.outbox.owed().size === 0, 10_000));
  assert.equal(one.phone.network.opened, 1);
  assert.deepEqual(placed(one), hashes);
});

test("a batch that is refused as a whole is sent event by event, so that only the poisoned one is refused", async () => {
  const one = await world();
  const hashes = await capture(one.phone, 3);
  const receive = one.relay.receive.bind(one.relay);
  one.relay.receive = async (frame) => {
    const before = one.relay.log.length;
    const answer = await receive(frame);
    if (
      answer === null ||
      !placed(one)
        .slice(before)
        .includes(hashes[0] ?? "")
    )
      return answer;
    one.relay.rollBack(before);
    return refuseInstead(answer, () => {}, "batch.oversized");
  };
  one.phone.session.goOnline();
  await one.time.advance(3_000);
  assert.deepEqual(
    one.phone.facts.list().map(({ state }) => state),
    ["refused", "saved", "saved"],
  );
  assert.deepEqual(new Set(one.relay.held.keys()), new Set(hashes.slice(1)));
  assert.equal(one.phone.outbox.owed().size, 3);
});

test("many runs and a long queue go out within the limits of a batch", async () => {
  const storage = createMemoryStorage();
  const one = await world({ storage });
  const hashes: string[] = [];
  let { phone } = one;
  for (let life = 0; life < 3; life += 1) {
    hashes.push(...(await capture(phone, 40)));
    phone.kill();
    phone = await one.start();
  }
  const sizes: number[] = [];
  const receive = one.relay.receive.bind(one.relay);
  one.relay.receive = (frame) => {
    sizes.push(frame.length);
    return receive(frame);
  };
  phone.session.goOnline();
  assert.ok(await one.time.until(() => phone.outbox.owed().size === 0, 10_000));
  assert.deepEqual(placed(one), hashes);
  assert.ok(Math.max(...sizes) < 15_000, sizes.join());
  const lives = new Set(phone.facts.list().map(({ envelope }) => envelope.run));
  assert.equal(lives.size, 3);
});

function branchInstead(frame: Uint8Array, done: () => void): Uint8Array {
  return rewrite(frame, (message) => {
    if (message.type !== "appended") return message;
    done();
    const answers = message.answers.map((answer) =>
      answer.answer === "placed" ? { ...answer, answer: "branch" as const } : answer,
    );
    return { ...message, answers };
  });
}

function refuseInstead(
  frame: Uint8Array,
  done: () => void,
  code: "relay.busy" | "batch.oversized" = "relay.busy",
): Uint8Array {
  return rewrite(frame, (message) => {
    if (message.type !== "appended") return message;
    done();
    return { type: "refused", n: message.n, code, retryAfterMs: 300 };
  });
}

function rewrite(frame: Uint8Array, change: (message: RelayMessage) => RelayMessage): Uint8Array {
  const message = decodeFrame(relayMessageSchema, frame);
  assert.ok(message.ok);
  return encodeFrame(change(message.value));
}
