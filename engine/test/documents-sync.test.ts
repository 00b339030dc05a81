import * as A from "@automerge/automerge/slim";
import assert from "node:assert/strict";
import { test } from "node:test";
import { startAutomerge } from "../adapters/automerge.ts";
import { bytesToHex } from "../src/core/hash.ts";
import {
  conflictsOf,
  createMemoryStorage,
  documentKinds,
  historyOf,
  schemaRules,
  valueSchema,
  viewOf,
  type DocumentView,
  type FieldEdit,
  type Storage,
} from "../src/index.ts";
import type { FeedCursor } from "../src/wire/index.ts";
import { World, type PhoneDouble, type Seeded } from "./document-world.ts";

await startAutomerge();

async function viewed(phone: PhoneDouble, key: string): Promise<DocumentView> {
  const view = await phone.documents.view("store", key);
  assert.ok(view.ok, JSON.stringify(view));
  return view.value;
}

async function edited(phone: PhoneDouble, key: string, edits: readonly FieldEdit[]): Promise<DocumentView> {
  const view = await phone.documents.edit("store", key, edits);
  assert.ok(view.ok, JSON.stringify(view));
  return view.value;
}

const skus = ["1047", "2210", "88-A"];
function randomEdits(seed: Seeded, view: DocumentView, supervisor: boolean): FieldEdit[] {
  const count = 1 + seed.below(3);
  const notes = String(view.value["notes"]);
  const at = seed.below(notes.length + 1);
  const choices: (() => FieldEdit)[] = [
    () => ({ field: "name", set: `Kedai ${seed.below(5)}` }),
    () => ({ field: "status", set: seed.pick(["prospect", "active", "dormant", null]) }),
    () => ({ field: "registrationNumber", set: `REG${seed.below(3)}` }),
    () => ({ field: "knownSince", set: `2020-01-0${1 + seed.below(9)}` }),
    () => ({ field: "lastVisitAt", set: `2026-11-2${seed.below(9)}T00:00:00Z` }),
    () => ({ field: "visitCount", increment: 1 + seed.below(3) }),
    () => ({ field: "tags", key: seed.pick(["hot", "new"]), set: seed.pick([true, null]) }),
    () => ({ field: "priceSen", key: seed.pick(skus), set: seed.below(1_000) }),
    () => ({ field: "facings", key: seed.pick(skus), set: seed.pick([1, 2, null]) }),
    () => ({ field: "answers", key: "audit/q1", set: seed.pick(["yes", "no"]) }),
    ...(supervisor ? [() => ({ field: "creditLimitSen", set: seed.below(9) * 10_000 })] : []),
  ];
  const edits = Array.from({ length: count }, () => seed.pick(choices)());
  if (seed.below(3) === 0) edits.push({ field: "notes", at, remove: 0, insert: seed.pick(["a", "bé", "🙂 "]) });
  return edits;
}

for (let history = 1; history <= 16; history += 1) {
  const size = 2 + ((history * 7) % 19);
  test(`${size} editors who meet, part, crash and lose answers end with one view (history ${history})`, async () => {
    const world = new World(history);
    const { seed } = world;
    const keys = ["S-1", "S-2", "S-3"];
    for (let index = 0; index < size; index += 1) {
      await world.phone(`R${index}`, { role: index % 4 === 0 ? "supervisor" : "rep" });
    }
    let increments = 0;
    for (let step = 0; step < 6 * size; step += 1) {
      const phone = seed.pick(world.phones);
      const key = seed.pick(keys);
      world.time.advance(seed.below(5_000));
      const what = seed.below(10);
      if (what < 5) {
        const view = await phone.documents.view("store", key);
        if (!view.ok) {
          await phone.documents.create("store", key, [{ field: "town", set: "Seremban" }]);
        } else {
          const edits = randomEdits(seed, view.value, phone.identity.role === "supervisor");
          await edited(phone, key, edits);
          if (key === "S-1") for (const edit of edits) if ("increment" in edit) increments += edit.increment;
        }
      } else if (what < 7) phone.connect();
      else if (what === 7) phone.disconnect();
      else if (what === 8 && seed.below(3) === 0) await phone.crash();
      await world.deliver(seed.below(12));
      if (seed.below(4) === 0) world.time.runNext(1_000);
    }
    for (const phone of world.phones) phone.connect();
    await world.settle();
    for (const key of keys) {
      const asked = seed.pick(world.phones);
      const stored = world.relay.documents.get(asked.id("store", key));
      if (stored === undefined) continue;
      const heads = A.getHeads(stored.replica);
      const atRelay = viewOf(stored.replica, "store", schemaRules);
      for (const phone of world.phones) {
        assert.deepEqual(phone.documents.dirty(), []);
        assert.deepEqual(phone.documents.doubted(), []);
        const view = await viewed(phone, key);
        assert.deepEqual(view.heads, heads, phone.identity.device);
        assert.deepEqual(view.value, atRelay.value, phone.identity.device);
        assert.deepEqual(view.conflicts, atRelay.conflicts);
      }
      valueSchema(documentKinds.store).parse(atRelay.value);
      for (const conflict of atRelay.conflicts) {
        const [field, ...row] = conflict.split("/");
        const explained = await asked.documents.explain(
          "store",
          key,
          field ?? "",
          row.length === 0 ? undefined : row.join("/"),
        );
        assert.ok(explained.ok && explained.value.losers.length > 0, conflict);
        assert.match(explained.value.reason.en, / over /);
      }
      if (key === "S-1") assert.equal(atRelay.value["visitCount"], increments, "every accepted increment is there");
    }
  });
}

test("an edit that was flushed and not pushed before a kill is pushed after it", async () => {
  const world = new World(1);
  const phone = await world.phone("Ali");
  await phone.documents.create("store", "S-1", [{ field: "name", set: "Kedai Ali" }]);
  await phone.crash();
  assert.deepEqual(phone.documents.dirty(), [phone.id("store", "S-1")]);
  phone.connect();
  await world.settle();
  assert.deepEqual(phone.documents.dirty(), []);
  const other = await world.phone("Siti");
  other.connect();
  await world.settle();
  assert.equal((await viewed(other, "S-1")).value["name"], "Kedai Ali");
});

test("a push whose answer was lost is settled by the catch-up, which brings the device's own changes", async () => {
  const world = new World(2);
  const phone = await world.phone("Ali");
  phone.connect();
  await world.settle();
  await phone.documents.create("store", "S-1", [{ field: "name", set: "Kedai Ali" }]);
  for (let turns = 0; turns < 50 && world.relay.documents.size === 0; turns += 1) {
    await new Promise<void>((resolve) => void setImmediate(resolve));
    phone.connection?.deliver("up");
  }
  assert.equal(world.relay.stream.length, 3);
  phone.disconnect();
  assert.equal(phone.documents.dirty().length, 1);
  phone.connect();
  await world.settle();
  assert.deepEqual(phone.documents.dirty(), []);
  assert.equal(world.relay.stream.length, 3, "nothing is stored twice");
});

test("two people who make the same outlet offline make one document, without a conflict about what it is", async () => {
  const world = new World(3);
  const [ali, siti] = [await world.phone("Ali"), await world.phone("Siti", { role: "supervisor" })];
  await ali.documents.create("store", "S-9", [{ field: "town", set: "Nilai" }]);
  await siti.documents.create("store", "S-9", [{ field: "address", set: "Jalan 1" }]);
  for (const phone of [ali, siti]) phone.connect();
  await world.settle();
  const view = await viewed(ali, "S-9");
  assert.equal(view.value["town"], "Nilai");
  assert.equal(view.value["address"], "Jalan 1");
  assert.deepEqual(view.conflicts, []);
  assert.deepEqual((await viewed(siti, "S-9")).value, view.value);
});

test("a supervisor wins over a rep who wrote later, and the explanation says so in a sentence", async () => {
  const world = new World(4);
  const rules = () => ({ conflicts: {}, names: { Ali: "Ali bin Abu", Siti: "Siti Hajar" } });
  const ali = await world.phone("Ali", { rules });
  const siti = await world.phone("Siti", { role: "supervisor", rules });
  await ali.documents.create("store", "S-1", []);
  for (const phone of [ali, siti]) phone.connect();
  await world.settle();
  for (const phone of [ali, siti]) phone.disconnect();
  await edited(siti, "S-1", [{ field: "status", set: "closed" }]);
  world.time.advance(60_000);
  await edited(ali, "S-1", [{ field: "status", set: "active" }]);
  for (const phone of [ali, siti]) phone.connect();
  await world.settle();
  for (const phone of [ali, siti]) {
    const view = await viewed(phone, "S-1");
    assert.equal(view.value["status"], "closed");
    assert.deepEqual(view.conflicts, ["status"]);
    const explained = await phone.documents.explain("store", "S-1", "status");
    assert.ok(explained.ok);
    assert.deepEqual(explained.value.reason, {
      en: "The value of Siti Hajar (supervisor) is kept over what Ali bin Abu (rep) wrote: the higher role counts, whoever wrote later.",
      ms: "Nilai Siti Hajar (penyelia) dikekalkan, bukan tulisan Ali bin Abu (wakil jualan): peranan yang lebih tinggi dikira, walau siapa pun menulis kemudian.",
    });
    assert.deepEqual(
      explained.value.losers.map((loser) => [loser.by, loser.value]),
      [["Ali", "active"]],
    );
  }
  const stored = world.relay.documents.get(ali.id("store", "S-1"));
  assert.ok(stored !== undefined);
  const [conflict, ...others] = conflictsOf(stored.replica, "store", rules());
  assert.deepEqual([conflict?.field, conflict?.value, others], ["status", "closed", []]);
  assert.deepEqual(
    historyOf(stored.replica, "store", "status")
      .map(({ by, edits }) => [by, edits[0]?.does === "set" ? edits[0].value : null].join(": "))
      .toSorted(),
    ["Ali: active", "Siti: closed"],
  );
  await edited(ali, "S-1", [{ field: "status", set: "active" }]);
  await world.settle();
  const after = await viewed(siti, "S-1");
  assert.equal(after.value["status"], "active", "an override is an ordinary edit");
  assert.deepEqual(after.conflicts, []);
});

test("a large edit travels in pieces and is answered once", async () => {
  const world = new World(5);
  const [ali, siti] = [await world.phone("Ali"), await world.phone("Siti")];
  const noise = bytesToHex(world.seed.random.bytes(9_000));
  await ali.documents.create("store", "S-1", [{ field: "notes", at: 0, remove: 0, insert: noise }]);
  for (const phone of [ali, siti]) phone.connect();
  await world.settle();
  assert.ok((world.relay.received.get("push") ?? 0) > 1);
  assert.equal((await viewed(siti, "S-1")).value["notes"], noise);
});

test("a phone that lacks nothing asks once, writes nothing and says nothing more", async () => {
  const world = new World(9);
  const author = await world.phone("Ali");
  await author.documents.create("store", "S-1", [{ field: "name", set: "Kedai Ali" }]);
  author.connect();
  await world.settle();
  let commits = 0;
  const storage = createMemoryStorage();
  const counted: Storage = {
    ...storage,
    commit: (writes) => {
      commits += 1;
      return storage.commit(writes);
    },
  };
  const other = await world.phone("Siti", { storage: counted });
  other.connect();
  await world.settle();
  await other.documents.settled();
  other.disconnect();
  const before = { commits, fed: world.relay.received.get("fed"), feed: world.relay.received.get("feed") ?? 0 };
  assert.ok(before.commits > 0);
  other.connect();
  await world.settle();
  assert.equal(commits, before.commits);
  assert.equal(world.relay.received.get("fed"), before.fed);
  assert.equal(world.relay.received.get("feed"), before.feed + 1);
});

test("a bundle that cannot be read ends the connection before its cursor is believed, and nothing is missed", async () => {
  const world = new World(11);
  const author = await world.phone("Ali");
  author.connect();
  await world.settle();
  const reader = await world.phone("Siti");
  reader.connect();
  await world.settle();
  await reader.documents.settled();
  const before = reader.documents.cursor();
  const cursor = { ...(before as FeedCursor), position: 1_000 };
  const bundle = { deflated: new Uint8Array(100).fill(0xff), length: 5_000, words: 1 };
  reader.connection?.send({ type: "changes", n: null, bundle, items: [], leave: [], cursor, more: true });
  await world.settle();
  assert.deepEqual(reader.documents.cursor(), before);
  await author.documents.create("store", "S-1", [{ field: "name", set: "Kedai Ali" }]);
  reader.disconnect();
  reader.connect();
  await world.settle();
  assert.equal((await viewed(reader, "S-1")).value["name"], "Kedai Ali");
});
