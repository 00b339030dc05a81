import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { conflictRules, settle, type Candidate } from "../src/documents/conflicts/index.ts";
import { field, ruleNames, type FieldDefinition, type RuleName } from "../src/documents/field.ts";

const fieldOf: Record<RuleName, FieldDefinition> = {
  latest: field("words", "Name", "Nama"),
  authority: field("words", "Status", "Status"),
  max: field("integer", "Count", "Kiraan"),
  min: field("date", "Since", "Sejak"),
  union: field("set", "Tags", "Tag"),
  counter: field("counter", "Visits", "Lawatan"),
  monotone: field("enum", "State", "Keadaan", {
    options: ["open", "done", "reviewed"].map((value) => ({ value, label: { en: value, ms: value } })),
  }),
  "keep-all": field("code", "Number", "Nombor"),
  text: field("text", "Notes", "Catatan"),
};
const valueOf: Record<RuleName, fc.Arbitrary<Candidate["value"]>> = {
  latest: fc.constantFrom("a", "b", null),
  authority: fc.constantFrom("a", "b", null),
  max: fc.constantFrom(0, 1, 2, null),
  min: fc.constantFrom("2020-01-01", "2021-01-01", null),
  union: fc.constantFrom(true, null),
  counter: fc.constantFrom(1, 2),
  monotone: fc.constantFrom("open", "done", "reviewed", null),
  "keep-all": fc.constantFrom("A1", "A2", null),
  text: fc.constantFrom("x", "y"),
};

function candidatesFor(rule: RuleName) {
  const candidate = fc.record({
    value: valueOf[rule],
    by: fc.constantFrom("R1", "R2", "S1"),
    role: fc.constantFrom("rep", "supervisor", "hq", "unknown"),
    at: fc.constantFrom("2026-11-23T07:00:00.000Z", "2026-11-23T08:00:00.000Z"),
    change: fc.constantFrom("aa", "bb", "cc"),
    counter: fc.integer({ min: 1, max: 3 }),
  });
  return fc
    .uniqueArray(candidate, { minLength: 1, maxLength: 6, selector: ({ counter, change }) => `${counter}@${change}` })
    .map((list) =>
      list.map(({ counter, ...rest }): Candidate => ({
        ...rest,
        name: rest.by,
        device: "d",
        op: `${counter}@${rest.change}`,
      })),
    );
}

for (const name of ruleNames) {
  test(`${name} answers the same for any order of the candidates, and every value stands in the answer`, () => {
    const list = candidatesFor(name);
    fc.assert(
      fc.property(
        list.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          const [one, other] = [settle(name, all, fieldOf[name]), settle(name, shuffled, fieldOf[name])];
          assert.deepEqual(one, other);
          assert.ok(one !== null && all.includes(one.winner));
          for (const candidate of all) {
            assert.equal(one.losers.includes(candidate), candidate.value !== one.winner.value);
          }
          assert.equal(one.losers.length > 0, new Set(all.map(({ value }) => value)).size > 1);
          assert.match(one.reason.en, /^[A-Z].*\.$/);
        },
      ),
    );
  });
}

const candidate = (over: Partial<Candidate>): Candidate => ({
  value: "a",
  by: "R1",
  name: "Ali",
  role: "rep",
  device: "d",
  at: "2026-11-23T07:00:00.000Z",
  change: "aa",
  op: "1@aa",
  ...over,
});
const later = "2026-11-23T09:00:00.000Z";

for (const [rule, winner, one, other] of [
  ["latest", "b", candidate({}), candidate({ value: "b", at: later })],
  ["authority", "a", candidate({ role: "supervisor" }), candidate({ value: "b", at: later })],
  ["authority", "a", candidate({}), candidate({ value: "b", role: "unknown", at: later })],
  ["authority", "b", candidate({ role: "hq" }), candidate({ value: "b", role: "supervisor", at: later })],
  ["max", 9, candidate({ value: 9 }), candidate({ value: 3, at: later })],
  ["max", 0, candidate({ value: 0 }), candidate({ value: null, at: later })],
  ["min", "2019-01-01", candidate({ value: "2019-01-01" }), candidate({ value: "2020-01-01", at: later })],
  ["min", "2019-01-01", candidate({ value: "2019-01-01" }), candidate({ value: null, at: later })],
  ["union", true, candidate({ value: true }), candidate({ value: null, at: later })],
  ["monotone", "reviewed", candidate({ value: "reviewed" }), candidate({ value: "open", at: later })],
  ["keep-all", "b", candidate({}), candidate({ value: "b", at: later })],
] as const) {
  test(`${rule}: ${String(one.value)} of a ${one.role} against a later ${String(other.value)} of a ${other.role} gives ${String(winner)}`, () => {
    const settled = settle(rule, [one, other], fieldOf[rule]);
    assert.equal(settled?.winner.value, winner);
    assert.equal(settled.open, rule === "keep-all");
  });
}

test("the fields of one change win together, so that coordinates are never half of one person's and half of another's", () => {
  const lat = [candidate({ value: 1, op: "10@aa" }), candidate({ value: 2, change: "bb", op: "11@bb" })];
  const lon = [candidate({ value: 3, op: "12@aa" }), candidate({ value: 4, change: "bb", op: "9@bb" })];
  const winners = [lat, lon].map((list) => settle("latest", list, fieldOf.latest)?.winner.change);
  assert.equal(winners[0], winners[1]);
});

test("two people who wrote the same have no conflict", () => {
  const same = [candidate({}), candidate({ name: "Siti", role: "supervisor", at: later, change: "bb", op: "1@bb" })];
  const settled = settle("keep-all", same, fieldOf["keep-all"]);
  assert.deepEqual(settled?.losers, []);
  assert.equal(settled?.open, false);
  assert.equal(settled?.reason.en, "Siti (supervisor) and Ali (rep) wrote the same.");
});

test("every rule has its own file and its own name", () => {
  for (const [name, rule] of Object.entries(conflictRules)) assert.equal(rule.name, name);
});
