import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  consequenceOf,
  eventKinds,
  judgeWith,
  policies,
  type Envelope,
  type EventKindName,
  type PolicyContext,
} from "../src/index.ts";
import { samplePack } from "./reference/sample-pack.ts";

const visit = "01936a5e-0000-7000-8000-000000000002";
const pack = samplePack(17);

function event(kind: EventKindName, body: unknown, change: Partial<Envelope> = {}): Envelope {
  return {
    v: 1,
    id: "01936a5e-0000-7000-8000-000000000001",
    kind: eventKinds[kind].name,
    workspace: "demo",
    device: "d1",
    run: "0123456789abcdef",
    seq: 1,
    prev: null,
    parent: null,
    rep: "R012",
    visit,
    store: "S-0481",
    at: "2026-11-23T07:15:14.123Z",
    offset: 480,
    zone: "Asia/Kuala_Lumpur",
    clock: { tick: 1, boot: "b", anchor: null, wall: "2026-11-23T07:15:14.123Z" },
    place: null,
    seen: { pack: 17, store: [] },
    body,
    ...change,
  };
}

const line = { sku: "910", quantity: 10, unit: "2 liter", unitPriceSen: 1_100, scheme: null as string | null };
const order = (lines: object[], change: object = {}, envelope: Partial<Envelope> = {}) =>
  event(
    "orderPlaced",
    { lines, totalSen: 11_000, creditLimitSen: 500_000, deliverOn: null, note: "", ...change },
    envelope,
  );

const all: PolicyContext = {
  pack,
  store: { status: "active", creditLimitSen: 500_000 },
  visit: { rep: "R012", store: "S-0481", state: "open" },
  closedDays: new Set(),
  attendance: "started",
};
const nothing: PolicyContext = { pack: null, store: null, visit: null, closedDays: null, attendance: null };

const verdictOf = (rule: string, judged: Envelope, context: PolicyContext) =>
  judgeWith(policies, judged, context).find((verdict) => verdict.rule === rule);

test("a proper order passes every rule", () => {
  const verdicts = judgeWith(policies, order([line]), all);
  assert.deepEqual(
    verdicts.map(({ rule, verdict }) => `${rule} ${verdict}`),
    policies.map(({ name }) => `${name} pass`),
  );
});

test("what is not known is not checked, never passed", () => {
  const verdicts = judgeWith(policies, order([line], { creditLimitSen: null }), nothing);
  const passed = verdicts.filter(({ verdict }) => verdict === "pass").map(({ rule }) => rule);
  assert.deepEqual(passed, ["body-fits", "total-adds-up"]);
  assert.ok(verdicts.every(({ verdict }) => verdict !== "fail"));
});

const cases: [title: string, rule: string, event: Envelope, context: Partial<PolicyContext>, sentence: RegExp][] = [
  ["a body that does not fit its kind fails", "body-fits", event("orderPlaced", { lines: 1 }), {}, /lines/],
  ["an unknown kind fails", "body-fits", { ...order([line]), kind: "order.dreamt.v1" }, {}, /order\.dreamt\.v1/],
  ["a visit's event without a visit fails", "body-fits", order([line], {}, { visit: null }), {}, /no visit/],
  ["an unknown SKU fails", "known-sku", order([{ ...line, sku: "999" }]), {}, /price list 17: SKU 999/],
  ["another unit than the good is sold in fails", "known-sku", order([{ ...line, unit: "carton" }]), {}, /2 liter/],
  [
    "a price outside the list fails",
    "price-in-list",
    order([{ ...line, unitPriceSen: 990 }]),
    {},
    /RM 9\.90.*RM 11\.00/,
  ],
  [
    "a scheme below its quantity fails",
    "price-in-list",
    order([{ ...line, unitPriceSen: 1_050, scheme: "BULK-12" }]),
    {},
    /starts at 12 units/,
  ],
  [
    "a scheme's price that is not the scheme's fails",
    "price-in-list",
    order([{ ...line, quantity: 12, unitPriceSen: 1_000, scheme: "BULK-12" }]),
    {},
    /RM 10\.50/,
  ],
  [
    "a scheme that ended yesterday in the workspace's zone fails, though it is yesterday in UTC still",
    "price-in-list",
    order([{ ...line, quantity: 12, unitPriceSen: 1_050, scheme: "BULK-12" }], {}, { at: "2026-11-23T16:00:00.000Z" }),
    {},
    /does not run for it on 2026-11-24/,
  ],
  ["an unknown scheme fails", "price-in-list", order([{ ...line, scheme: "GHOST" }]), {}, /GHOST does not run/],
  [
    "more than the usual quantity fails",
    "quantity-bounds",
    order([{ ...line, quantity: 74_215 }]),
    {},
    /74215 units are more than the usual 1000/,
  ],
  [
    "more than a good's own bound fails",
    "quantity-bounds",
    order([{ ...line, sku: "1", unit: "1kg", quantity: 51 }]),
    {},
    /usual 50/,
  ],
  ["the same line twice fails", "quantity-bounds", order([line, line]), {}, /entered twice/],
  ["a total that does not add up fails", "total-adds-up", order([line], { totalSen: 11_001 }), {}, /RM 110\.01/],
  [
    "an order above the credit limit fails",
    "credit-limit",
    order([line], { creditLimitSen: 10_000 }),
    { store: { status: "active", creditLimitSen: 10_000 } },
    /above the store's credit limit of RM 100\.00/,
  ],
  [
    "an order above the limit that it states fails even when the master is not at hand",
    "credit-limit",
    order([line], { creditLimitSen: 10_000 }),
    { store: null },
    /above/,
  ],
  [
    "an order that states another limit than the master seen fails",
    "credit-limit",
    order([line], { creditLimitSen: 900_000 }),
    {},
    /RM 9,000\.00.*RM 5,000\.00/,
  ],
  [
    "an order after the check-out fails",
    "visit-open",
    order([line]),
    { visit: { rep: "R012", store: "S-0481", state: "closed" } },
    /checked out before/,
  ],
  [
    "an order in another rep's visit fails",
    "visit-open",
    order([line]),
    { visit: { rep: "R001", store: "S-0481", state: "open" } },
    /belongs to R001/,
  ],
  [
    "an order for another store than the visit's fails",
    "visit-open",
    order([line]),
    { visit: { rep: "R012", store: "S-0001", state: "open" } },
    /at store S-0001/,
  ],
  [
    "a visit to a closed store fails",
    "store-active",
    event("checkIn", { plan: null }),
    { store: { status: "closed", creditLimitSen: null } },
    /"closed"/,
  ],
  [
    "an order on a day that was closed fails",
    "closed-period",
    order([line]),
    { closedDays: new Set(["2026-11-23"]) },
    /had closed 2026-11-23/,
  ],
  [
    "a check-in before the day began fails",
    "attendance",
    event("checkIn", { plan: null }),
    { attendance: "not-started" },
    /had not started/,
  ],
  [
    "a check-in after the day ended fails",
    "attendance",
    event("checkIn", { plan: null }),
    { attendance: "ended" },
    /had ended/,
  ],
];

for (const [title, rule, judged, context, sentence] of cases) {
  test(title, () => {
    const verdict = verdictOf(rule, judged, { ...all, ...context });
    assert.equal(verdict?.verdict, "fail");
    assert.match(verdict.sentence.en, sentence);
    assert.notEqual(verdict.sentence.ms, "");
    assert.notEqual(verdict.sentence.ms, verdict.sentence.en);
    assert.doesNotThrow(() => JSON.stringify(verdict.inputs));
  });
}

describe("rules keep to their own business", () => {
  test("an amended order is judged as an order", () => {
    const amended = event("orderAmended", { ...eventKinds.orderAmended.golden, lines: [line], totalSen: 1 });
    assert.equal(verdictOf("total-adds-up", amended, all)?.verdict, "fail");
  });
  test("a check-in opens its own visit, so no rule asks whether the visit is open", () => {
    assert.equal(verdictOf("visit-open", event("checkIn", { plan: null }), nothing), undefined);
  });
  test("a day may be closed again, so closing is never judged by the closed period", () => {
    const closed = event("dayClosed", eventKinds.dayClosed.golden, { visit: null, store: null });
    assert.equal(verdictOf("closed-period", closed, { ...all, closedDays: new Set(["2026-11-23"]) }), undefined);
  });
  test("an unreadable order is a matter of its body alone: the order's rules say not checked", () => {
    const verdicts = judgeWith(policies, event("orderPlaced", null), all);
    assert.deepEqual(
      verdicts.filter(({ verdict }) => verdict === "fail").map(({ rule }) => rule),
      ["body-fits"],
    );
  });
  for (const kind of Object.keys(eventKinds) as EventKindName[]) {
    test(`the golden ${eventKinds[kind].name} fits, and no rule throws on it or on a broken body`, () => {
      const golden = event(kind, eventKinds[kind].golden);
      assert.equal(verdictOf("body-fits", golden, nothing)?.verdict, "pass");
      for (const body of [null, 7, [], { lines: [{}] }]) judgeWith(policies, { ...golden, body }, all);
    });
  }
});

test("a workspace says what a failed rule does, and a rule it does not name annotates", () => {
  assert.equal(consequenceOf(pack, "credit-limit"), "hold-order");
  assert.equal(consequenceOf(pack, "known-sku"), "annotate");
  assert.equal(consequenceOf(null, "credit-limit"), "annotate");
});
