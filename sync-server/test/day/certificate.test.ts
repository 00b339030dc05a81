import assert from "node:assert/strict";
import { test } from "node:test";
import { dayCertificateSchema } from "@sampai/engine/wire";
import {
  certificateText,
  decide,
  LATE_WAIT_MS,
  stateDay,
  type DayFacts,
  type DayStatement,
  type DeviceFacts,
} from "../../src/day/certificate.ts";

const DAY = "2026-11-25";
const run = "0".repeat(16);
const hash = (n: number) => String(n).repeat(64).slice(0, 64);

function device(name: string, change: Partial<DeviceFacts> = {}): DeviceFacts {
  return {
    device: name,
    enrolledDay: "2026-11-01",
    revokedDay: null,
    cleared: false,
    claimedAt: "2026-11-25T09:00:00.000Z",
    heardInTerm: true,
    damaged: 0,
    damagedBefore: 0,
    heads: [],
    missing: [],
    held: 0,
    quarantined: 0,
    holes: [],
    took: true,
    ...change,
  };
}

function facts(devices: readonly DeviceFacts[], change: Partial<DayFacts> = {}): DayFacts {
  const close = {
    device: "d1",
    run,
    seq: 48,
    hash: hash(1),
    position: 99,
    at: "2026-11-25T10:00:00.000Z",
    counted: { events: 47, photos: 6 },
  };
  return {
    closes: [close],
    here: 47,
    reopened: 0,
    photos: { captured: 6, owed: [], lost: 0 },
    devices,
    expired: false,
    ...change,
  };
}

test("a day is complete when nothing is expected, held or lost", () => {
  const day = stateDay(DAY, facts([device("d1")]));
  assert.equal(day.standing, "complete");
  assert.deepEqual(day.events, { here: 47, declared: 47 });
});

test("a day is incomplete while anything is expected or held, and the missing stretches are named", () => {
  const missing = [{ device: "d2", run, from: 41, to: 47 }];
  const day = stateDay(DAY, facts([device("d1"), device("d2", { missing, held: 2 })]));
  assert.equal(day.standing, "incomplete");
  assert.deepEqual(day.missing, missing);
  assert.deepEqual(day.events, { here: 47, declared: 47 + 7 + 2 });
});

test("a revoked device is an exception with its last contact; what it still owes keeps nobody waiting", () => {
  const missing = [{ device: "d2", run, from: 1, to: 3 }];
  const day = stateDay(DAY, facts([device("d1"), device("d2", { revokedDay: DAY, missing })]));
  assert.equal(day.standing, "complete-except");
  assert.deepEqual(day.except, [{ device: "d2", why: "revoked", lastContact: "2026-11-25T09:00:00.000Z" }]);
  assert.deepEqual(day.events, { here: 47, declared: 47 });
});

test("a device that was not heard since the relay was restored, or never, is an exception", () => {
  const day = stateDay(DAY, facts([device("d1"), device("d2", { heardInTerm: false, claimedAt: null })]));
  assert.equal(day.standing, "complete-except");
  assert.deepEqual(day.except, [{ device: "d2", why: "unheard", lastContact: null }]);
});

test("numbers up to the greatest that a device can announce leave the day incomplete, in a certificate that can be read", () => {
  const most = Number.MAX_SAFE_INTEGER;
  const missing = [run, "1".repeat(16)].map((of) => ({ device: "d1", run: of, from: 1, to: most }));
  const day = stateDay(DAY, facts([device("d1", { missing, held: 2 })]));
  assert.equal(day.standing, "incomplete");
  assert.deepEqual(day.events, { here: 47, declared: most });
  const head = {
    workspace: "w",
    rep: "R012",
    day: DAY,
    zone: "Asia/Kuala_Lumpur",
    term: "t",
    number: 1,
    reason: "closed" as const,
    restates: null,
    issuedAt: "2026-11-25T10:00:01.000Z",
  };
  assert.deepEqual(dayCertificateSchema.parse(JSON.parse(certificateText(head, day))).missing, missing);
});

test("a device that was revoked after its day was certified is no exception, whatever it announces or sends then", () => {
  const missing = [{ device: "d2", run, from: 9, to: 9 }];
  const revoked = { revokedDay: DAY, cleared: true, heardInTerm: false, missing, held: 1, quarantined: 2 };
  const day = stateDay(DAY, facts([device("d1"), device("d2", revoked)]));
  assert.equal(day.standing, "complete");
  assert.deepEqual(day.except, []);
  assert.deepEqual(decide(stateDay(DAY, facts([device("d1"), device("d2")])), day, LATE_WAIT_MS), { act: "keep" });
});

test("holes and new damage make it complete with holes; damage that an earlier day told of does not", () => {
  const holes = [{ device: "d1", run, from: 5, to: 6 }];
  const lost = stateDay(DAY, facts([device("d1", { holes })]));
  assert.equal(lost.standing, "complete-with-holes");
  assert.deepEqual(lost.events, { here: 47, declared: 49 });
  const damaged = stateDay(DAY, facts([device("d1", { damaged: 3, damagedBefore: 1 })]));
  assert.equal(damaged.standing, "complete-with-holes");
  assert.deepEqual(damaged.damaged, [{ device: "d1", records: 2 }]);
  assert.equal(stateDay(DAY, facts([device("d1", { damaged: 3, damagedBefore: 3 })])).standing, "complete");
});

test("incomplete comes before except, except before holes", () => {
  const holes = [{ device: "d1", run, from: 5, to: 5 }];
  const except = stateDay(DAY, facts([device("d1", { holes }), device("d2", { revokedDay: DAY })]));
  assert.equal(except.standing, "complete-except");
  assert.equal(
    stateDay(DAY, facts([device("d1", { holes, held: 1 }), device("d2", { revokedDay: DAY })])).standing,
    "incomplete",
  );
});

test("a phone that was replaced long ago, or came later, is not spoken of unless it owes something", () => {
  const old = { revokedDay: "2026-11-03", took: false };
  const statement = stateDay(
    DAY,
    facts([
      device("d1"),
      device("old", old),
      device("new", { enrolledDay: "2026-11-26", took: false, claimedAt: null }),
    ]),
  );
  assert.equal(statement.standing, "complete");
  assert.deepEqual(
    statement.devices.map((one) => one.device),
    ["d1"],
  );
  const owing = stateDay(DAY, facts([device("d1"), device("old", { ...old, quarantined: 2 })]));
  assert.equal(owing.standing, "complete-except");
});

const complete = stateDay(DAY, facts([device("d1")]));
const missing = [{ device: "d1", run, from: 48, to: 50 }];
const incomplete = stateDay(DAY, facts([device("d1", { missing })]));
const again = (statement: DayStatement, change: Partial<DayStatement>) => ({ ...statement, ...change });

test("the first close is certified whatever its standing, and an open day never is", () => {
  assert.deepEqual(decide(null, incomplete, 0), { act: "issue", reason: "closed" });
  assert.deepEqual(decide(null, again(complete, { closes: [] }), 0), { act: "keep" });
});

test("a certificate is issued again when what was missing has come, not for each batch on the way", () => {
  const fewer = stateDay(DAY, facts([device("d1", { missing: missing.map((range) => ({ ...range, from: 50 })) })]));
  assert.deepEqual(decide(incomplete, fewer, 0), { act: "keep" });
  assert.deepEqual(decide(incomplete, complete, 0), { act: "issue", reason: "arrived" });
  assert.deepEqual(decide(complete, complete, 0), { act: "keep" });
});

test("what was missing is given up when its device is revoked or declares it lost, and the reason says so", () => {
  const owing = stateDay(
    DAY,
    facts([device("d1"), device("d2", { missing: [{ device: "d2", run, from: 1, to: 3 }] })]),
  );
  const revoked = stateDay(DAY, facts([device("d1"), device("d2", { revokedDay: DAY })]));
  assert.deepEqual(decide(owing, revoked, 0), { act: "issue", reason: "given-up" });
  const lost = stateDay(DAY, facts([device("d1", { holes: missing })]));
  assert.deepEqual(decide(incomplete, lost, 0), { act: "issue", reason: "given-up" });
  // Another device than the one that owed.
  const other = stateDay(DAY, facts([device("d1"), device("d2"), device("d3", { revokedDay: DAY })]));
  assert.deepEqual(decide(owing, other, 0), { act: "issue", reason: "arrived" });
});

test("a new doubt of a device restates nothing: no restore, later enrolment or report of damage changes the day", () => {
  for (const doubted of [
    facts([device("d1", { heardInTerm: false })]),
    facts([device("d1"), device("new", { enrolledDay: DAY, claimedAt: null, heardInTerm: false, took: false })]),
    facts([device("d1", { damaged: 2 })]),
  ])
    assert.deepEqual(decide(complete, stateDay(DAY, doubted), LATE_WAIT_MS), { act: "keep" });
  const unheard = stateDay(DAY, facts([device("d1"), device("d2", { heardInTerm: false })]));
  const revoked = stateDay(DAY, facts([device("d1"), device("d2", { heardInTerm: false, revokedDay: DAY })]));
  assert.deepEqual(decide(unheard, revoked, 0), { act: "keep" });
});

test("an exception that is none any more restates the day: its device was heard, or its revocation was taken back", () => {
  const unheard = stateDay(DAY, facts([device("d1", { heardInTerm: false })]));
  assert.deepEqual(decide(unheard, complete, 0), { act: "issue", reason: "arrived" });
  const revoked = stateDay(DAY, facts([device("d1", { revokedDay: DAY })]));
  assert.deepEqual(decide(revoked, complete, 0), { act: "issue", reason: "reinstated" });
});

test("the word that an event of a certified day is lost restates it as late", () => {
  const lost = stateDay(DAY, facts([device("d1", { holes: missing })]));
  assert.deepEqual(decide(complete, lost, 0), { act: "issue", reason: "late" });
});

test("a reopened day that is closed again is certified again", () => {
  const [close] = complete.closes;
  assert.ok(close);
  const twice = again(complete, { closes: [close, { ...close, hash: hash(2), seq: 52 }] });
  assert.deepEqual(decide(complete, twice, 0), { act: "issue", reason: "closed-again" });
});

test("late arrivals restate a closed day once, when the late device has sent all or a minute has passed", () => {
  const late = stateDay(DAY, facts([device("d1")], { here: 50 }));
  assert.deepEqual(decide(complete, late, 0), { act: "issue", reason: "late" });
  const onTheWay = stateDay(DAY, facts([device("d1", { missing })], { here: 48 }));
  assert.deepEqual(decide(complete, onTheWay, 0), { act: "wait" });
  assert.deepEqual(decide(complete, onTheWay, LATE_WAIT_MS), { act: "issue", reason: "late" });
  // The next day's work is announced all the time; it takes nothing back.
  assert.deepEqual(decide(complete, stateDay(DAY, facts([device("d1", { missing })])), LATE_WAIT_MS), { act: "keep" });
});

test("photos are counted apart: the last owed one brings a new certificate, the ones before it do not", () => {
  const owed = (ids: readonly string[], lost = 0) =>
    stateDay(DAY, facts([device("d1")], { photos: { captured: 6, owed: ids, lost } }));
  assert.equal(owed(["a", "b"]).standing, "complete");
  assert.deepEqual(decide(owed(["a", "b"]), owed(["b"]), 0), { act: "keep" });
  assert.deepEqual(decide(owed(["a", "b"]), complete, 0), { act: "issue", reason: "photos" });
  assert.deepEqual(decide(owed(["a", "b"]), owed(["b"], 1), 0), { act: "issue", reason: "photos" });
});
