import { schemaRules, viewOf, type FieldEdit } from "@sampai/engine";
import type { Role } from "@sampai/engine/wire";
import assert from "node:assert/strict";
import { test } from "node:test";
import { putDocuments } from "../../src/documents/put-documents.ts";
import { openDesk, type Desk } from "./desk.ts";
import { EnginePhone } from "./engine-phone.ts";

/** Marsaglia's xorshift: a history is its seed. */
function seeded(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

const STORES = ["S0", "S1", "S2"];

function randomEdit(below: (n: number) => number, role: Role, textLength: number): FieldEdit {
  const word = `w${below(1_000)}`;
  const edits: FieldEdit[] = [
    { field: "name", set: word },
    { field: "town", set: word },
    { field: "channel", set: word },
    { field: "knownSince", set: `2026-0${1 + below(9)}-01` },
    { field: "registrationNumber", set: word },
    { field: "priceSen", key: `sku${below(3)}`, set: below(5_000) },
    { field: "tags", key: `tag${below(3)}`, set: below(2) === 0 ? true : null },
    { field: "visitCount", increment: 1 + below(3) },
    { field: "notes", at: below(textLength + 1), remove: 0, insert: word },
    { field: "notes", at: 0, remove: Math.min(textLength, below(3)), insert: "" },
  ];
  if (role !== "rep") edits.push({ field: "creditLimitSen", set: below(100_000) });
  return edits[below(edits.length)] as FieldEdit;
}

async function startPhones(desk: Desk): Promise<EnginePhone[]> {
  const phones: EnginePhone[] = [];
  for (const [person, role] of [
    ["R1", "rep"],
    ["R2", "rep"],
    ["R3", "rep"],
    ["SV", "supervisor"],
    ["HQ", "hq"],
  ] as const) {
    const { caller } = await desk.phone(person, role, role === "hq" ? ["*"] : ["T1"]);
    phones.push(await EnginePhone.start(desk, caller));
  }
  return phones;
}

async function editRandomly(phone: EnginePhone, below: (n: number) => number): Promise<boolean> {
  const key = STORES[below(STORES.length)] as string;
  const view = await phone.documents.view("store", key);
  if (!view.ok) return false;
  const { notes } = view.value.value;
  const length = typeof notes === "string" ? notes.length : 0;
  const edited = await phone.documents.edit("store", key, [randomEdit(below, phone.caller.role, length)]);
  assert.ok(edited.ok, JSON.stringify(edited));
  return true;
}

for (let seed = 1; seed <= 6; seed += 1) {
  test(`five devices that edit, cut and come back in any order end with the relay's view (seed ${seed})`, async () => {
    const below = seeded(seed);
    const desk = await openDesk();
    await putDocuments(
      desk.context,
      STORES.map((key) => ({ kind: "store", key, values: { name: key, territory: "T1", status: "active" } })),
    );
    const phones = await startPhones(desk);
    for (const phone of phones) phone.goOnline(desk);
    await Promise.all(phones.map((phone) => phone.idle()));
    let edits = 0;
    for (let step = 0; step < 60; step += 1) {
      const phone = phones[below(phones.length)] as EnginePhone;
      const move = below(10);
      if (move === 0) phone.goOffline();
      else if (move === 1) phone.goOnline(desk);
      else if (await editRandomly(phone, below)) edits += 1;
      if (move === 9) await new Promise(setImmediate);
    }
    assert.ok(edits > 30);
    for (const phone of phones) phone.goOnline(desk);
    await settled(desk, phones);
    for (const key of STORES) {
      const row = desk.host.registry.get(phones[0]?.id("store", key) ?? "");
      assert.ok(row);
      const open = await desk.host.open.open(row);
      assert.ok(open.ok);
      const { value, conflicts } = viewOf(open.value.replica, "store", schemaRules);
      for (const phone of phones) {
        const view = await phone.documents.view("store", key);
        assert.ok(view.ok);
        assert.deepEqual(view.value.value, value, `${phone.caller.person} sees what the relay sees`);
        assert.deepEqual(view.value.conflicts, conflicts);
        assert.deepEqual(phone.documents.needsYou(), [], "nothing honest is refused");
      }
    }
    assert.deepEqual(desk.errors, []);
    for (const phone of phones) phone.goOffline();
    await desk.close();
  });
}

/** Waits until every phone is idle and stands at the relay's head. */
async function settled(desk: Desk, phones: readonly EnginePhone[]): Promise<void> {
  for (;;) {
    await Promise.all(phones.map((phone) => phone.idle()));
    const heads = STORES.map((key) => desk.host.registry.get(phones[0]?.id("store", key) ?? "")?.heads ?? []);
    const views = await Promise.all(phones.flatMap((phone) => STORES.map((key) => phone.documents.view("store", key))));
    const behind = views.some((view, index) => {
      const expected = [...(heads[index % STORES.length] ?? [])].toSorted();
      return !view.ok || view.value.dirty || view.value.heads.toSorted().join() !== expected.join();
    });
    if (!behind) return;
    await new Promise(setImmediate);
  }
}

test("a forbidden edit is shown to its author, and his document is the relay's again", async () => {
  const desk = await openDesk();
  await putDocuments(desk.context, [{ kind: "store", key: "S0", values: { name: "A", territory: "T1" } }]);
  const { caller } = await desk.phone("R1", "rep", ["T1"]);
  // A phone whose app believes it is a supervisor's: the relay knows better.
  const hostile = await EnginePhone.start(desk, caller, "supervisor");
  hostile.goOnline(desk);
  await hostile.idle();
  const edited = await hostile.documents.edit("store", "S0", [{ field: "creditLimitSen", set: 1 }]);
  assert.ok(edited.ok);
  await until(() => hostile.documents.needsYou().length > 0);
  assert.equal(hostile.documents.needsYou()[0]?.code, "change.author");
  const view = await hostile.documents.view("store", "S0");
  assert.ok(view.ok);
  assert.equal(view.value.value["creditLimitSen"], null);
  assert.equal(view.value.dirty, false);
  hostile.goOffline();
  await desk.close();
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

test("a new outlet made offline on one phone and a visit to it reach those who may see them", async () => {
  const desk = await openDesk();
  const phones = await startPhones(desk);
  const [maker, other, , boss] = phones as [EnginePhone, EnginePhone, EnginePhone, EnginePhone];
  const made = await maker.documents.create("store", "tmp-7", [
    { field: "name", set: "Kedai Baru" },
    { field: "territory", set: "T1" },
  ]);
  assert.ok(made.ok, JSON.stringify(made));
  const visit = await maker.documents.create("visit", "01936a5e-0000-7000-8000-00000000000b", [
    { field: "store", set: "tmp-7" },
    { field: "rep", set: "R1" },
    { field: "state", set: "done" },
  ]);
  assert.ok(visit.ok, JSON.stringify(visit));
  for (const phone of phones) phone.goOnline(desk);
  await until(() => other.documents.list("store").length === 1 && boss.documents.list("visit").length === 1);
  assert.equal(other.documents.list("visit").length, 0, "another rep's visit is not his");
  for (const phone of phones) phone.goOffline();
  await desk.close();
});
