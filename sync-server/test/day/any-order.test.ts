import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlacedCandidate } from "../../src/order-log/admit.ts";
import { operations } from "../../src/database/operations.ts";
import type { Transaction } from "../../src/database/transaction.ts";
import { stateDay } from "../../src/day/certificate.ts";
import { readDay } from "../../src/day/day-facts.ts";
import { createFieldPhone } from "../followers/field-phone.ts";
import { createDatabaseDevice } from "../order-log/database-device.ts";

const ZONE = "Asia/Kuala_Lumpur";
// The relay of these tests lives at one moment: everything is heard on the 23rd.
const DAY = "2026-11-23";
const at = (minute: number) => new Date(Date.parse(`${DAY}T00:10:00.000Z`) + minute * 60_000).toISOString();

function random(seed: number) {
  let state = seed * 2_654_435_761 + 1;
  return (n: number) => (state = (state * 48_271) % 2_147_483_647) % n;
}

function shuffled<T>(items: readonly T[], below: (n: number) => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(below(left.length), 1)[0] as T);
}

interface Made {
  readonly device: string;
  readonly candidate: PlacedCandidate;
  readonly lost: boolean;
}

/** One rep's day on two devices: orders, a close in between and one at the end; the tablet closes or does not. */
function makeDay(below: (n: number) => number) {
  const made: Made[] = [];
  let here = 0;
  let lost = 0;
  for (const device of ["d1", "d2"]) {
    const phone = createFieldPhone(device, "R1");
    const count = 1 + below(8);
    const body = { lines: [], totalSen: 0, creditLimitSen: null, deliverOn: null, note: "" };
    const capture = (minute: number) => {
      const isLost = below(6) === 0;
      made.push({ device, candidate: phone.capture("orderPlaced", body, { at: at(minute) }).candidate, lost: isLost });
      if (isLost) lost += 1;
      else here += 1;
    };
    const close = (minute: number) =>
      made.push({
        device,
        candidate: phone.capture("dayClosed", { day: DAY, events: count, photos: 0 }, { at: at(minute) }).candidate,
        lost: false,
      });
    for (let index = 0; index < count; index += 1) {
      capture(index);
      if (device === "d1" && below(5) === 0) close(index);
    }
    if (device === "d1" || below(2) === 0) close(count);
  }
  return { made, here, lost };
}

function relayWithTwo(): { tx: Transaction } {
  const { db, tx } = createDatabaseDevice("d1");
  db.prepare(
    `insert into device (device, person, role, public_key, token_hash, certificate, certificate_signature, platform, enrolled)
       values ('d2', 'R1', 'rep', '', 'other', '', '', '', '')`,
  ).run();
  db.prepare("update device set enrolled = '2026-11-01T00:00:00.000Z'").run();
  return { tx };
}

const dayOf = (tx: Transaction) => {
  // As the keeper does: these closes name a day that can be.
  const closes = tx.sql("select position, day from day_close where filed is null").all() as {
    position: number;
    day: string;
  }[];
  operations.fileCloses(tx, { filed: closes });
  return stateDay(
    DAY,
    readDay((text) => tx.sql(text), { rep: "R1", day: DAY, zone: ZONE }),
  );
};

test("in whatever order a day's events, holes and closes come, its certificate says the same", () => {
  for (let seed = 1; seed <= 120; seed += 1) {
    const below = random(seed);
    const { made, here, lost } = makeDay(below);
    const { tx } = relayWithTwo();
    const claim = (device: string) =>
      tx.sql("insert or replace into contact (device, at, claim) values (?, ?, null)").run(device, tx.now);
    claim("d1");
    claim("d2");
    for (const { device, candidate, lost: isLost } of shuffled(made, below)) {
      const { run, seq, hash } = candidate;
      if (isLost) operations.hole(tx, { device, run, seq, hash });
      else operations.append(tx, { device, events: [candidate], via: "websocket" });
      const now = dayOf(tx);
      assert.ok(now.events.here <= here, `seed ${seed}: never more than there are`);
      if (now.standing === "complete") assert.equal(now.missing.length + now.holes.length, 0);
    }
    const end = dayOf(tx);
    assert.equal(end.standing, lost > 0 ? "complete-with-holes" : "complete", `seed ${seed}`);
    assert.deepEqual(end.events, { here, declared: here + lost }, `seed ${seed}`);
    assert.deepEqual(end.missing, []);
  }
});

test("what a claim announces is missing until each of it is here or declared lost, and never counted twice", () => {
  for (let seed = 1; seed <= 80; seed += 1) {
    const below = random(seed);
    const { made, here, lost } = makeDay(below);
    const { tx } = relayWithTwo();
    const tips = (device: string) => {
      const last = made.findLast((one) => one.device === device)?.candidate;
      return last === undefined ? [] : [{ run: last.run, seq: last.seq, hash: last.hash }];
    };
    for (const device of ["d1", "d2"]) {
      const claim = { tips: tips(device), damaged: 0, attempts: [], queue: {}, app: "", at: tx.now };
      operations.claim(tx, { device, claim } as unknown as Parameters<typeof operations.claim>[1]);
    }
    const closes = made.filter(({ candidate }) => new TextDecoder().decode(candidate.bytes).includes("day.closed"));
    const all = here + lost + closes.length;
    const announced = dayOf(tx);
    assert.equal(announced.standing, "incomplete");
    assert.equal(announced.events.declared, all);
    for (const { device, candidate, lost: isLost } of shuffled(made, below)) {
      const { run, seq, hash } = candidate;
      if (isLost) operations.hole(tx, { device, run, seq, hash });
      else operations.append(tx, { device, events: [candidate], via: "websocket" });
      const { events } = dayOf(tx);
      assert.ok(events.declared <= all, `seed ${seed}: ${events.declared} of ${all}`);
    }
    const end = dayOf(tx);
    assert.notEqual(end.standing, "incomplete", `seed ${seed}`);
    assert.deepEqual(end.events, { here, declared: here + lost }, `seed ${seed}`);
  }
});
