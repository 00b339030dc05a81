import * as A from "@automerge/automerge/slim";
import assert from "node:assert/strict";
import { test } from "node:test";
import { startAutomerge } from "../adapters/automerge.ts";
import { createMemoryStorage, schemaChanges, type FieldEdit, type Storage } from "../src/index.ts";
import { field } from "../src/documents/field.ts";
import { composeSchemaChange } from "../src/documents/genesis.ts";
import { storeMaster } from "../src/documents/store-master.ts";
import { World, type PhoneDouble } from "./document-world.ts";

await startAutomerge();

async function viewOf(phone: PhoneDouble, key = "S-1") {
  const view = await phone.documents.view("store", key);
  assert.ok(view.ok, JSON.stringify(view));
  return view.value;
}

/** A memory storage that counts document reads and can be told to fail. */
function watchedStorage() {
  const inner = createMemoryStorage();
  const watched = { loads: 0, failing: false };
  const storage: Storage = {
    ...inner,
    range: (prefix) => {
      if (prefix.startsWith("doc/")) watched.loads += 1;
      return inner.range(prefix);
    },
    commit: (writes) => (watched.failing ? Promise.reject(new Error("the disk is full")) : inner.commit(writes)),
  };
  return { storage, watched };
}

test("a device with 500 stores lists them after a restart without loading one", async () => {
  const world = new World(1);
  const siti = await world.phone("Siti", { role: "supervisor" });
  for (let index = 0; index < 500; index += 1) {
    const key = `S-${String(index).padStart(4, "0")}`;
    await siti.documents.create("store", key, [
      { field: "name", set: `Kedai ${index}` },
      { field: "town", set: "Seremban" },
    ]);
  }
  siti.connect();
  await world.settle();
  const { storage, watched } = watchedStorage();
  const phone = await world.phone("Ali", { storage });
  phone.connect();
  await world.settle();
  await Promise.all([phone.documents.settled(), world.settle()]);
  assert.ok(watched.loads >= 500, "each new document's summary was read once");
  await phone.crash();
  watched.loads = 0;
  const list = phone.documents.list("store");
  assert.equal(list.length, 500);
  assert.deepEqual(
    list.slice(0, 2).map(({ key, summary, dirty }) => [key, summary["name"], summary["town"], dirty]),
    [
      ["S-0000", "Kedai 0", "Seremban", false],
      ["S-0001", "Kedai 1", "Seremban", false],
    ],
  );
  phone.connect();
  await world.settle();
  assert.equal(watched.loads, 0, "a reconnect without news loads nothing either");
  await viewOf(phone, "S-0007");
  assert.equal(watched.loads, 1);
});

test("an edit that cannot be made durable is answered as such, changes nothing, and can be made again", async () => {
  const world = new World(2);
  const { storage, watched } = watchedStorage();
  const phone = await world.phone("Ali", { storage });
  await phone.documents.create("store", "S-1", [{ field: "name", set: "Kedai 1" }]);
  watched.failing = true;
  const failed = await phone.documents.edit("store", "S-1", [{ field: "name", set: "Kedai 2" }]);
  assert.ok(!failed.ok && failed.error.code === "document.storage");
  watched.failing = false;
  assert.equal((await viewOf(phone)).value["name"], "Kedai 1");
  const again = await phone.documents.edit("store", "S-1", [{ field: "name", set: "Kedai 3" }]);
  assert.ok(again.ok);
  phone.connect();
  await world.settle();
  const relay = world.relay.documents.get(phone.id("store", "S-1"));
  assert.equal(String(relay?.replica["name"]), "Kedai 3");
});

for (const [what, code, edit] of [
  ["a field that is not there", "document.field", { field: "colour", set: "red" }],
  ["a field of the object prototype", "document.field", { field: "constructor", set: "red" }],
  ["the document's key", "document.field", { field: "key", set: "S-2" }],
  ["a rep's credit limit", "document.field", { field: "creditLimitSen", set: 1 }],
  ["a row of a field without rows", "document.field", { field: "name", key: "x", set: "a" }],
  ["a column without a row", "document.field", { field: "priceSen", set: 1 }],
  ["the prototype as a row", "document.field", { field: "priceSen", key: "__proto__", set: 1 }],
  ["words in a number", "document.value", { field: "lat", set: "north" }],
  ["a number out of range", "document.value", { field: "lat", set: 91 }],
  ["half a price", "document.value", { field: "priceSen", key: "1", set: 0.5 }],
  ["an unknown option", "document.value", { field: "status", set: "gone" }],
  ["a day that does not exist", "document.value", { field: "knownSince", set: "2026-02-30" }],
  ["a text as a whole", "document.value", { field: "notes", set: "all new" }],
  ["a counter as a whole", "document.value", { field: "visitCount", set: 4 }],
  ["a counter that goes down", "document.value", { field: "visitCount", increment: -1 }],
  ["an increment of a name", "document.field", { field: "name", increment: 1 }],
  ["a splice of a name", "document.field", { field: "name", at: 0, remove: 0, insert: "x" }],
  ["a splice behind the end", "document.value", { field: "notes", at: 1, remove: 0, insert: "x" }],
  ["half a character", "document.value", { field: "name", set: "\ud83d" }],
  ["a member that is neither in nor out", "document.value", { field: "tags", key: "hot", set: false }],
] as [string, string, FieldEdit][]) {
  test(`an edit with ${what} is refused with ${code} and writes nothing`, async () => {
    const world = new World(3);
    const phone = await world.phone("Ali");
    await phone.documents.create("store", "S-1", [{ field: "name", set: "Kedai" }]);
    const before = await viewOf(phone);
    const refused = await phone.documents.edit("store", "S-1", [{ field: "town", set: "Nilai" }, edit]);
    assert.ok(!refused.ok && refused.error.code === code, JSON.stringify(refused));
    assert.deepEqual(await viewOf(phone), before);
  });
}

test("null is written, never deleted, so that a value that comes back meets its conflict", async () => {
  const world = new World(4);
  const phone = await world.phone("Ali");
  await phone.documents.create("store", "S-1", [
    { field: "priceSen", key: "1", set: 5 },
    { field: "tags", key: "hot", set: true },
  ]);
  const view = await phone.documents.edit("store", "S-1", [
    { field: "priceSen", key: "1", set: null },
    { field: "tags", key: "hot", set: null },
  ]);
  assert.ok(view.ok);
  assert.deepEqual([view.value.value["priceSen"], view.value.value["tags"]], [{}, []]);
  phone.connect();
  await world.settle();
  const ops = world.relay.stream.flatMap(({ bytes }) => A.decodeChange(bytes).ops);
  assert.ok(!ops.some(({ action }) => action === "del"));
  assert.deepEqual(JSON.parse(JSON.stringify(world.relay.documents.values().next().value?.replica["priceSen"])), {
    "1": null,
  });
});

test("an edit that changes nothing writes nothing", async () => {
  const world = new World(5);
  const phone = await world.phone("Ali");
  const made = await phone.documents.create("store", "S-1", [{ field: "name", set: "Kedai" }]);
  const same = await phone.documents.edit("store", "S-1", [{ field: "name", set: "Kedai" }]);
  assert.ok(made.ok && same.ok);
  assert.deepEqual(same.value.heads, made.value.heads);
});

test("what exists is not made again, and what is not here is not edited", async () => {
  const world = new World(6);
  const phone = await world.phone("Ali");
  await phone.documents.create("store", "S-1", []);
  const again = await phone.documents.create("store", "S-1", []);
  assert.ok(!again.ok && again.error.code === "document.exists");
  const absent = await phone.documents.edit("store", "S-2", [{ field: "name", set: "x" }]);
  assert.ok(!absent.ok && absent.error.code === "document.not-here");
});

async function offlineEdits(seed: number): Promise<{ world: World; ali: PhoneDouble; siti: PhoneDouble }> {
  const world = new World(seed);
  const [ali, siti] = [await world.phone("Ali"), await world.phone("Siti", { role: "supervisor" })];
  await ali.documents.create("store", "S-1", [{ field: "name", set: "Kedai 1" }]);
  for (const phone of [ali, siti]) phone.connect();
  await world.settle();
  ali.disconnect();
  return { world, ali, siti };
}

test("a refused change is told to its author, edits around it are kept with their time, and later ones are not stranded", async () => {
  const { world, ali, siti } = await offlineEdits(7);
  world.relay.judge = ({ change }) =>
    change.ops.some(({ key, obj }) => obj === "_root" && key === "channel") ? "change.field" : null;
  const times: number[] = [];
  for (const edit of [
    { field: "town", set: "Nilai" },
    { field: "channel", set: "grocery" },
    { field: "address", set: "Jalan 2" },
  ]) {
    world.time.advance(1_000);
    times.push(world.time.clock.wallMs());
    await ali.documents.edit("store", "S-1", [edit]);
  }
  world.time.advance(3_600_000);
  ali.connect();
  await world.settle();
  const view = await viewOf(ali);
  assert.deepEqual([view.value["town"], view.value["channel"], view.value["address"]], ["Nilai", null, "Jalan 2"]);
  assert.equal(view.dirty, false);
  assert.deepEqual((await viewOf(siti)).value, view.value);
  const explained = await ali.documents.explain("store", "S-1", "address");
  assert.ok(explained.ok);
  assert.equal(explained.value.winner?.at, new Date(times[2] ?? 0).toISOString());
  const [need, ...others] = ali.documents.needsYou();
  assert.deepEqual(others, []);
  assert.deepEqual(need?.edit, { field: "channel", set: "grocery" });
  assert.equal(need.code, "change.field");
  assert.equal(need.sentence, "HQ did not take your change of Channel: This role may not change that field.");
  assert.equal(need.at, new Date(times[1] ?? 0).toISOString());
  await ali.crash();
  assert.equal(ali.documents.needsYou().length, 1, "a restart forgets nothing");
  for (const item of ali.documents.needsYou()) await ali.documents.dismiss(item);
  await ali.crash();
  assert.deepEqual(ali.documents.needsYou(), []);
});

test("a new outlet that the relay does not take leaves this device, and every edit of it waits for its author", async () => {
  const { world, ali } = await offlineEdits(8);
  world.relay.judge = ({ key }) => (key === "T-1" ? "doc.tombstone" : null);
  await ali.documents.create("store", "T-1", [{ field: "name", set: "Kedai baru" }]);
  await ali.documents.edit("store", "T-1", [{ field: "town", set: "Nilai" }]);
  ali.connect();
  await world.settle();
  assert.deepEqual(
    ali.documents.list("store").map(({ key }) => key),
    ["S-1"],
  );
  assert.deepEqual(
    ali.documents.needsYou().map(({ edit }) => edit.field),
    ["name", "town"],
  );
  assert.deepEqual(ali.documents.dirty(), []);
});

test("a store that moves to another territory leaves one phone and reaches the other without a restart", async () => {
  const world = new World(9);
  const [ali, siti] = [await world.phone("Ali"), await world.phone("Siti")];
  world.relay.rescope(siti.identity.device, () => false);
  await ali.documents.create("store", "S-1", [{ field: "name", set: "Kedai 1" }]);
  for (const phone of [ali, siti]) phone.connect();
  await world.settle();
  assert.equal(siti.documents.list("store").length, 0);
  world.relay.rescope(ali.identity.device, () => false);
  world.relay.rescope(siti.identity.device, () => true);
  for (const phone of [ali, siti]) {
    phone.disconnect();
    phone.connect();
  }
  await world.settle();
  assert.deepEqual([ali.documents.list("store").length, siti.documents.list("store").length], [0, 1]);
  assert.equal((await viewOf(siti)).value["name"], "Kedai 1");
  const gone = await ali.documents.view("store", "S-1");
  assert.ok(!gone.ok && gone.error.code === "document.not-here");
  assert.deepEqual(await ali.storage.range("doc/"), []);
});

for (const stored of [true, false]) {
  const end = stored ? "stored" : "refused, and then its author is told";
  test(`a leaving document with an unsent edit waits hidden until the edit is ${end}`, async () => {
    const { world, ali, siti } = await offlineEdits(10);
    const doc = ali.id("store", "S-1");
    await ali.documents.edit("store", "S-1", [{ field: "town", set: "Nilai" }]);
    world.relay.rescope(ali.identity.device, () => false);
    if (stored) world.relay.patientWith.add(ali.identity.device);
    const leaving = { items: [], leave: [doc], cursor: world.relay.cursor(ali.identity.device) };
    await ali.documents.receive([leaving]);
    await ali.crash();
    assert.deepEqual(ali.documents.list("store"), []);
    assert.deepEqual(ali.documents.dirty(), [doc], "a restart keeps it");
    ali.connect();
    await world.settle();
    assert.deepEqual(ali.documents.dirty(), []);
    assert.deepEqual(await ali.storage.range("doc/"), [], "then it is gone");
    assert.equal((await viewOf(siti)).value["town"], stored ? "Nilai" : null);
    assert.deepEqual(
      ali.documents.needsYou().map(({ edit, code }) => [edit.field, code]),
      stored ? [] : [["town", "doc.scope"]],
    );
  });
}

test("an older app keeps what it does not know: a newer schema's fields pass through it unharmed", async () => {
  const { world, ali, siti } = await offlineEdits(11);
  const doc = ali.id("store", "S-1");
  const newer = {
    ...storeMaster,
    fields: { ...storeMaster.fields, promo: field("words", "Promo", "Promosi", { column: true, since: 2 }) },
  };
  const version2 = composeSchemaChange(newer, 2, schemaChanges("store"));
  assert.deepEqual(version2, composeSchemaChange(newer, 2, schemaChanges("store")));
  world.relay.store(doc, "store", "S-1", version2, null);
  const ahead = A.change(
    A.clone(world.relay.documents.get(doc)?.replica ?? A.init<Record<string, unknown>>(), { actor: "ee".repeat(16) }),
    { time: 1, message: JSON.stringify({ by: "Siti", role: "supervisor", device: "new" }) },
    (root) => {
      (root["promo"] as Record<string, unknown>)["raya"] = new A.ImmutableString("2 for 1");
      root["mood"] = new A.ImmutableString("good");
    },
  );
  world.relay.store(doc, "store", "S-1", A.getLastLocalChange(ahead) ?? new Uint8Array(), null);
  await ali.documents.edit("store", "S-1", [{ field: "town", set: "Nilai" }]);
  ali.connect();
  await world.settle();
  await ali.crash();
  ali.connect();
  await ali.documents.edit("store", "S-1", [{ field: "address", set: "Jalan 2" }]);
  await world.settle();
  assert.deepEqual((await viewOf(ali)).value, (await viewOf(siti)).value);
  const plain = A.toJS<Record<string, unknown>>(world.relay.documents.get(doc)?.replica ?? A.init());
  assert.equal(JSON.stringify(plain["promo"]), '{"raya":"2 for 1"}');
  assert.equal(String(plain["mood"]), "good");
  assert.equal(String(plain["address"]), "Jalan 2");
});

test("the pack's rule table decides how a field is settled, and a new pack settles it anew", async () => {
  let conflicts: Record<string, Record<string, string>> = {};
  const world = new World(12);
  const rules = () => ({ conflicts, names: {} });
  const [ali, siti] = [await world.phone("Ali", { rules }), await world.phone("Siti", { rules })];
  await ali.documents.create("store", "S-1", []);
  for (const phone of [ali, siti]) phone.connect();
  await world.settle();
  for (const phone of [ali, siti]) phone.disconnect();
  await ali.documents.edit("store", "S-1", [{ field: "uncertaintyMeters", set: 5 }]);
  world.time.advance(1_000);
  await siti.documents.edit("store", "S-1", [{ field: "uncertaintyMeters", set: 900 }]);
  for (const phone of [ali, siti]) phone.connect();
  await world.settle();
  assert.equal((await viewOf(ali)).value["uncertaintyMeters"], 900);
  conflicts = { store: { uncertaintyMeters: "min", name: "no such rule" } };
  ali.documents.rulesChanged();
  await Promise.all([ali.documents.settled(), world.settle()]);
  assert.equal((await viewOf(ali)).value["uncertaintyMeters"], 5);
  assert.equal(ali.documents.list("store")[0]?.summary["uncertaintyMeters"], 5);
});

test("a listener hears of local and remote changes until it stops listening", async () => {
  const { world, ali, siti } = await offlineEdits(13);
  const heard: (string | null)[] = [];
  const stop = ali.documents.onChange((doc) => heard.push(doc));
  await ali.documents.edit("store", "S-1", [{ field: "town", set: "Nilai" }]);
  assert.deepEqual(heard, [ali.id("store", "S-1")]);
  ali.connect();
  await world.settle();
  heard.length = 0;
  await siti.documents.edit("store", "S-1", [{ field: "address", set: "Jalan 3" }]);
  await world.settle();
  assert.ok(heard.includes(ali.id("store", "S-1")));
  stop();
  heard.length = 0;
  await ali.documents.edit("store", "S-1", [{ field: "town", set: "Bahau" }]);
  assert.deepEqual(heard, []);
});

test("edits of one document made at the same time are taken one after the other", async () => {
  const world = new World(14);
  const phone = await world.phone("Ali");
  await phone.documents.create("store", "S-1", []);
  const edits = Array.from({ length: 30 }, (_, index) =>
    phone.documents.edit("store", "S-1", [
      { field: "visitCount", increment: 1 },
      { field: "priceSen", key: `${index}`, set: index },
    ]),
  );
  assert.ok((await Promise.all(edits)).every(({ ok }) => ok));
  const { value } = await viewOf(phone);
  assert.equal(value["visitCount"], 30);
  assert.equal(Object.keys(value["priceSen"] as object).length, 30);
});

test("more documents than stay open are edited without losing any edit", async () => {
  const world = new World(15);
  const phone = await world.phone("Ali");
  for (let round = 0; round < 2; round += 1) {
    for (let index = 0; index < 60; index += 1) {
      if (round === 0) await phone.documents.create("store", `S-${index}`, []);
      await phone.documents.edit("store", `S-${index}`, [{ field: "visitCount", increment: 1 }]);
    }
  }
  for (let index = 0; index < 60; index += 1) {
    assert.equal((await viewOf(phone, `S-${index}`)).value["visitCount"], 2);
  }
});
