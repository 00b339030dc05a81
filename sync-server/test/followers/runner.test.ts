import assert from "node:assert/strict";
import { test } from "node:test";
import { openForReading } from "../../src/database/connection.ts";
import type { Follower, FollowerContext } from "../../src/followers/follower.ts";
import { contacts } from "../../src/followers/contacts.ts";
import { readJudgement } from "../../src/followers/judgement-steps.ts";
import { createStreams } from "../../src/followers/streams.ts";
import { forgetDerived } from "../../src/privacy/derived.ts";
import { orderBody, uuid } from "./field-phone.ts";
import { clockAt, everyFollower, everythingIn, follow, openRelayFolder } from "./relay-folder.ts";

const zone = "Asia/Kuala_Lumpur";
const capture = (phone: Awaited<ReturnType<Awaited<ReturnType<typeof openRelayFolder>>["enrol"]>>, count: number) =>
  Array.from({ length: count }, (_, n) =>
    phone.capture("orderPlaced", orderBody(n + 1), { at: "2026-11-24T03:00:00.000Z", visit: uuid("v"), store: "S-1" }),
  );

/** Counts events (the log's first row is the relay's start), and throws at one position for as long as it is told to. */
function counting(poison: { position: number | null }, version = 1): Follower {
  return {
    name: "counting",
    version,
    stream: "log",
    prepare: (db) => db.exec("create table if not exists counted (position integer primary key, version integer)"),
    reset: (db) => db.exec("drop table if exists counted"),
    step: (db, page) => {
      for (const item of page) {
        if (item.stream !== "log" || item.type !== "event") continue;
        const { position } = item;
        if (position === poison.position) throw new Error(`cannot read #${position}`);
        db.prepare("insert into counted (position, version) values (?, ?)").run(position, version);
      }
    },
  };
}

test("a follower that throws stands at the row it cannot take, is tried again later, and counts nothing twice; the others go on", async (t) => {
  const folder = await openRelayFolder();
  t.after(() => folder.close());
  const phone = await folder.enrol("p", "R001");
  await folder.append(phone, capture(phone, 20));
  const clock = clockAt(Date.now());
  const poison: { position: number | null } = { position: 7 };
  const followed = follow(folder, { clock, zone, followers: [counting(poison), ...everyFollower()] });
  followed.run();
  const counted = () => (followed.db.prepare("select count(*) as count from counted").get() as { count: number }).count;
  const [status, ...others] = followed.runner.status();
  assert.equal(counted(), 6);
  assert.deepEqual([status?.position, status?.behind, status?.error], [7, 14, "Error: cannot read #7"]);
  assert.ok(others.every(({ behind }) => behind === 0));
  const waitMs = followed.runner.retryInMs() ?? 0;
  assert.ok(waitMs > 0);
  clock.set(clock.wallMs() + waitMs);
  followed.run();
  assert.ok((followed.runner.retryInMs() ?? 0) > waitMs, "the delay grows");
  poison.position = null;
  clock.set(clock.wallMs() + (followed.runner.retryInMs() ?? 0));
  followed.run();
  assert.equal(counted(), 20);
  assert.equal(followed.runner.status()[0]?.failingSince, null);
  followed.db.close();
});

test("a follower that is made to forget while it reads a page starts again from nothing, and does not go on as if it had not been", async (t) => {
  const folder = await openRelayFolder();
  t.after(() => folder.close());
  const phone = await folder.enrol("p", "R001");
  await folder.append(phone, capture(phone, 3));
  const remembers: string[] = [];
  let forgetIn: number | null = null;
  const forgetful: Follower = {
    ...counting({ position: null }),
    reset: (db) => {
      remembers.push("reset");
      db.exec("drop table if exists counted");
    },
  };
  const read = createStreams(folder.relay);
  const streams: typeof read = {
    ...read,
    read: (stream, position, count) => {
      if (position === forgetIn) forgetDerived(folder.dir);
      return read.read(stream, position, count);
    },
  };
  const followed = follow(folder, { clock: clockAt(Date.now()), zone, followers: [forgetful, contacts], streams });
  followed.run();
  remembers.length = 0;
  forgetIn = followed.runner.status()[0]?.position ?? null;
  await folder.append(phone, capture(phone, 2));
  followed.run();
  assert.deepEqual(remembers, ["reset"]);
  assert.equal((followed.db.prepare("select count(*) as count from counted").get() as { count: number }).count, 5);
  assert.equal(followed.runner.status()[0]?.behind, 0);
  followed.db.close();
});

test("what was not checked is kept once for all orders of which it is the same, and told of each of them", async (t) => {
  const folder = await openRelayFolder();
  t.after(() => folder.close());
  const phone = await folder.enrol("p", "R001");
  const orders = capture(phone, 30);
  await folder.append(phone, orders);
  const { db, run } = follow(folder, { clock: clockAt(Date.now()), zone });
  run();
  assert.equal((db.prepare("select count(*) as count from judge_outcome").get() as { count: number }).count, 1);
  for (const [index, { candidate }] of orders.entries()) {
    const { judged, passed, verdicts } = readJudgement(db, { hash: candidate.hash, position: index + 1 });
    assert.ok(judged && passed.length > 0);
    const unchecked = verdicts.filter(({ verdict }) => verdict === "not-checked");
    assert.ok(unchecked.some(({ rule, sentence }) => rule === "known-sku" && sentence.en.startsWith("Not checked:")));
    assert.equal(verdicts[0]?.verdict, "fail", "the day had not been started");
  }
  db.close();
});

test("what a follower leaves for later is done while the streams rest; where that throws, it is undone and told, and the others go on", async (t) => {
  const folder = await openRelayFolder();
  t.after(() => folder.close());
  const phone = await folder.enrol("p", "R001");
  await folder.append(phone, capture(phone, 5));
  const clock = clockAt(Date.now());
  let isBroken = true;
  const leaving: Follower = {
    ...counting({ position: null }),
    rest: (db) => {
      const { changes } = db.prepare("update counted set version = 9 where version = 1").run();
      if (isBroken) throw new Error("cannot rest");
      return Number(changes) > 0;
    },
  };
  const followed = follow(folder, { clock, zone, followers: [leaving, ...everyFollower()] });
  const versions = () =>
    followed.db
      .prepare("select distinct version from counted")
      .all()
      .map((row) => row["version"]);
  followed.run();
  assert.deepEqual([versions(), followed.runner.status()[0]?.error], [[1], "Error: cannot rest"]);
  assert.ok(followed.runner.status().every(({ behind }) => behind === 0));
  isBroken = false;
  await folder.append(phone, capture(phone, 1));
  followed.run();
  assert.deepEqual([versions(), followed.runner.status()[0]?.error], [[9], null]);
  followed.db.close();
});

test("a raised version forgets what was made and makes it again from the stream", async (t) => {
  const folder = await openRelayFolder();
  t.after(() => folder.close());
  const phone = await folder.enrol("p", "R001");
  await folder.append(phone, capture(phone, 5));
  const clock = clockAt(Date.now());
  const first = follow(folder, { clock, zone, followers: [counting({ position: null }, 1)] });
  first.run();
  const second = follow(folder, { clock, zone, followers: [counting({ position: null }, 2)], db: first.db });
  second.run();
  assert.deepEqual(
    second.db
      .prepare("select version, count(*) as count from counted group by version")
      .all()
      .map((row) => ({ ...row })),
    [{ version: 2, count: 5 }],
  );
  first.db.close();
});

test("followers of a relay that was restored to an older state, and went on otherwise, start again from its stream", async (t) => {
  const before = await openRelayFolder();
  t.after(() => before.close());
  const after = await openRelayFolder();
  t.after(() => after.close());
  const clock = clockAt(Date.now());
  const phone = await before.enrol("p", "R001");
  await after.enrol("p", "R001");
  const events = capture(phone, 10);
  await before.append(phone, events);
  const first = follow(before, { clock, zone });
  first.run();
  assert.equal(first.runner.status().find(({ name }) => name === "judge")?.position, 11);
  // The same followers' database over a relay whose log has other rows at these positions.
  const other = await after.enrol("q", "R002");
  await after.append(other, capture(other, 12));
  const second = follow(after, { clock, zone, db: first.db });
  second.run();
  const fresh = follow(after, { clock, zone });
  fresh.run();
  assert.deepEqual(everythingIn(second.db), everythingIn(fresh.db));
  for (const open of [first.db, fresh.db]) open.close();
});

test("followers begin anew with a new term, also where the last row they read is still the same", async (t) => {
  const folder = await openRelayFolder();
  t.after(() => folder.close());
  const phone = await folder.enrol("p", "R001");
  await folder.append(phone, capture(phone, 4));
  const clock = clockAt(Date.now());
  let resets = 0;
  const watched: Follower = {
    ...counting({ position: null }),
    reset: (db) => {
      resets += 1;
      db.exec("drop table if exists counted");
    },
  };
  const first = follow(folder, { clock, zone, followers: [watched] });
  first.run();
  const again = () => {
    const next = follow(folder, { clock, zone, followers: [watched], db: first.db });
    next.run();
    return (first.db.prepare("select count(*) as count from counted").get() as { count: number }).count;
  };
  resets = 0;
  assert.deepEqual([again(), resets], [4, 0]);
  const head = { v: 1, workspace: "w", term: "9:z", start: "f".repeat(16), log: 99, trail: 0, documents: 0 } as const;
  const raised = await folder.writer.run("openLog", {
    workspace: "test",
    nonce: "b".repeat(16),
    relayStarts: false,
    head: { ...head, known: [], began: [], revoked: [] },
  });
  assert.equal(raised, `10:${"b".repeat(16)}`);
  assert.deepEqual([again(), resets], [4, 1]);
  first.db.close();
});

test("what a follower tells the trail stands there once, however often the follower is rebuilt", async (t) => {
  const folder = await openRelayFolder();
  t.after(() => folder.close());
  const phone = await folder.enrol("p", "R001");
  await folder.append(phone, capture(phone, 3));
  const clock = clockAt(Date.now());
  const telling = (version: number): Follower => ({
    name: "telling",
    version,
    stream: "log",
    prepare: () => undefined,
    reset: () => undefined,
    step: (_, page, context: FollowerContext) => {
      for (const item of page) {
        if (item.stream !== "log" || item.type !== "event") continue;
        context.note(`told ${item.hash}`, { topic: "verdict", device: item.device, item: item.hash, detail: {} });
      }
    },
  });
  const deliver = async (followed: ReturnType<typeof follow>) => {
    const rows = followed.notes.next(100);
    await folder.writer.run("note", { rows: rows.map(({ row }) => row) });
    return rows;
  };
  const first = follow(folder, { clock, zone, followers: [telling(1)] });
  first.run();
  assert.equal((await deliver(first)).length, 3);
  // Killed before the thread was told that the rows are durable.
  const second = follow(folder, { clock, zone, followers: [telling(1)], db: first.db });
  assert.deepEqual(second.notes.next(100), []);
  const third = follow(folder, { clock, zone, followers: [telling(2)], db: first.db });
  third.run();
  assert.deepEqual(third.notes.next(100), []);
  const relay = openForReading(folder.dir);
  const { count } = relay.prepare("select count(*) as count from trail where topic = 'verdict'").get() as {
    count: number;
  };
  assert.equal(count, 3);
  relay.close();
  first.db.close();
});
