import * as A from "@automerge/automerge/slim";
import assert from "node:assert/strict";
import { test } from "node:test";
import { startAutomerge } from "../adapters/automerge.ts";
import { World, type PhoneDouble } from "./document-world.ts";

await startAutomerge();

async function valueOf(phone: PhoneDouble, key = "S-1"): Promise<Readonly<Record<string, unknown>>> {
  const view = await phone.documents.view("store", key);
  assert.ok(view.ok, JSON.stringify(view));
  return view.value.value;
}

/** A phone that holds a store as one snapshot and several changes, all of them at the relay. */
async function settledPhone(seed: number): Promise<{ world: World; phone: PhoneDouble; doc: string }> {
  const world = new World(seed);
  const [siti, phone] = [await world.phone("Siti", { role: "supervisor" }), await world.phone("Ali")];
  await siti.documents.create("store", "S-1", [{ field: "name", set: "Kedai 0" }]);
  siti.connect();
  await world.settle();
  phone.connect();
  await world.settle();
  for (let index = 1; index <= 4; index += 1) {
    await siti.documents.edit("store", "S-1", [
      { field: "name", set: `Kedai ${index}` },
      { field: "priceSen", key: `sku-${index}`, set: index },
    ]);
    await world.settle();
  }
  phone.disconnect();
  return { world, phone, doc: phone.id("store", "S-1") };
}

const chunksOf = async (phone: PhoneDouble, doc: string) => phone.storage.range(`doc/${doc}/`);

const losses: Record<string, (phone: PhoneDouble, doc: string) => Promise<void>> = {
  "a middle change": async (phone, doc) => {
    const changes = (await chunksOf(phone, doc)).filter(({ key }) => key.includes("/c/"));
    const middle = changes.find(({ value }) => JSON.stringify(A.decodeChange(value).ops).includes("Kedai 2"));
    assert.ok(middle !== undefined);
    await phone.storage.commit([{ key: middle.key, value: null }]);
  },
  "the newest change": async (phone, doc) => {
    const changes = (await chunksOf(phone, doc)).filter(({ key }) => key.includes("/c/"));
    const newest = changes.find(({ value }) => JSON.stringify(A.decodeChange(value).ops).includes("Kedai 4"));
    assert.ok(newest !== undefined);
    await phone.storage.commit([{ key: newest.key, value: null }]);
  },
  "the snapshot": async (phone, doc) => {
    const [snapshot] = (await chunksOf(phone, doc)).filter(({ key }) => key.includes("/s/"));
    assert.ok(snapshot !== undefined);
    await phone.storage.commit([{ key: snapshot.key, value: null }]);
  },
  "every byte of the document": async (phone, doc) => {
    await phone.storage.commit((await chunksOf(phone, doc)).map(({ key }) => ({ key, value: null })));
  },
  "its row in the index": async (phone, doc) => {
    await phone.storage.commit([{ key: `doc-index/${doc}`, value: null }]);
  },
  "the document and its row": async (phone, doc) => {
    const keys = (await chunksOf(phone, doc)).map(({ key }) => key);
    await phone.storage.commit([...keys, `doc-index/${doc}`].map((key) => ({ key, value: null })));
  },
  "one bit of a middle change": async (phone, doc) => {
    const changes = (await chunksOf(phone, doc)).filter(({ key }) => key.includes("/c/"));
    for (const { key, value } of changes.slice(1, 2)) {
      const flipped = value.slice();
      flipped[flipped.length - 3] = value.at(-3) === 7 ? 8 : 7;
      await phone.storage.commit([{ key, value: flipped }]);
    }
  },
  "one bit of the snapshot": async (phone, doc) => {
    const snapshots = (await chunksOf(phone, doc)).filter(({ key }) => key.includes("/s/"));
    for (const { key, value } of snapshots) {
      const flipped = value.slice();
      flipped[40] = value.at(40) === 7 ? 8 : 7;
      await phone.storage.commit([{ key, value: flipped }]);
    }
  },
};

for (const [what, lose] of Object.entries(losses)) {
  test(`a phone that lost ${what} is repaired from the relay, for good, and keeps its unsent edit`, async () => {
    const { world, phone, doc } = await settledPhone(11);
    await phone.documents.edit("store", "S-1", [{ field: "town", set: "Nilai" }]);
    await lose(phone, doc);
    await phone.crash();
    await phone.documents.view("store", "S-1");
    phone.connect();
    await world.settle();
    const check = async () => {
      const value = await valueOf(phone);
      assert.equal(value["name"], "Kedai 4");
      assert.deepEqual(value["priceSen"], { "sku-1": 1, "sku-2": 2, "sku-3": 3, "sku-4": 4 });
      assert.equal(value["town"], "Nilai");
      assert.deepEqual(phone.documents.doubted(), []);
      assert.deepEqual(phone.documents.dirty(), []);
    };
    await check();
    await phone.crash();
    await check();
    const atRelay = world.relay.documents.get(doc);
    assert.ok(atRelay !== undefined);
    assert.equal(String(A.toJS<Record<string, unknown>>(atRelay.replica)["town"]), "Nilai");
  });
}

test("a damaged chunk is put aside before the repair, so that a person can look at it and no start finds it again", async () => {
  const { phone, doc } = await settledPhone(12);
  await losses["one bit of a middle change"]?.(phone, doc);
  await phone.crash();
  await phone.documents.view("store", "S-1");
  const names = (await chunksOf(phone, doc)).map(({ key }) => key);
  assert.equal(names.filter((key) => key.includes("/q/")).length, 1);
  assert.deepEqual(phone.documents.doubted(), [doc]);
});

test("a relay that was restored from an old backup gets back what phones hold, without anyone editing", async () => {
  const { world, phone, doc } = await settledPhone(13);
  const relay = world.relay.documents.get(doc);
  assert.ok(relay !== undefined);
  const heads = A.getHeads(relay.replica);
  for (const other of world.phones) other.disconnect();
  world.relay.stream.length = 3;
  const kept = world.relay.stream.map(({ bytes }) => bytes);
  relay.replica = A.applyChanges(A.init<Record<string, unknown>>(), kept)[0];
  world.relay.term = "2-b";
  phone.connect();
  await world.settle();
  assert.deepEqual(A.getHeads(world.relay.documents.get(doc)?.replica ?? A.init()), heads);
});

test("a relay that lost a document whole gets it back", async () => {
  const { world, phone, doc } = await settledPhone(14);
  const heads = A.getHeads(world.relay.documents.get(doc)?.replica ?? A.init());
  for (const other of world.phones) other.disconnect();
  world.relay.documents.delete(doc);
  world.relay.stream.length = 0;
  for (const other of world.phones) world.relay.holds(other.identity.device).clear();
  world.relay.term = "2-b";
  phone.connect();
  await world.settle();
  assert.deepEqual(A.getHeads(world.relay.documents.get(doc)?.replica ?? A.init()), heads);
});

test("damaged bytes on the wire are put aside, and the document is repaired before anybody sees it as whole", async () => {
  const { world, phone, doc } = await settledPhone(15);
  const siti = world.phones[0];
  assert.ok(siti !== undefined);
  phone.connect();
  await world.settle();
  const row = world.relay.stream.at(-1);
  assert.ok(row !== undefined);
  await siti.documents.edit("store", "S-1", [{ field: "town", set: "Nilai" }]);
  const original = world.relay.store.bind(world.relay);
  world.relay.store = (id, kind, key, bytes, from) => {
    const position = original(id, kind, key, bytes, null);
    for (const other of world.relay.connections) other.toPhone.length = 0;
    const torn = bytes.slice();
    torn[20] = (torn.at(20) ?? 0) ^ 1;
    const cursor = world.relay.cursor(phone.identity.device);
    const item = { doc: id, kind, key, position, bytes: torn, snapshot: false };
    if (from !== phone.connection)
      phone.connection?.send({ type: "changes", n: null, items: [item], leave: [], cursor, more: false });
    return position;
  };
  await world.settle();
  assert.equal((await valueOf(phone))["town"], "Nilai");
  assert.ok((await chunksOf(phone, doc)).some(({ key }) => key.includes("/q/")));
});

test("many changes are folded into one snapshot that holds them all", async () => {
  const { world, phone, doc } = await settledPhone(16);
  const siti = world.phones[0];
  phone.connect();
  for (let index = 0; index < 80; index += 1) {
    await siti?.documents.edit("store", "S-1", [{ field: "stockCount", key: "1047", set: index }]);
    await world.settle();
    await valueOf(phone);
  }
  assert.ok((await chunksOf(phone, doc)).length < 40);
  await phone.crash();
  const value = await valueOf(phone);
  assert.deepEqual(value["stockCount"], { "1047": 79 });
  assert.deepEqual(phone.documents.doubted(), []);
});

test("an unsent edit that stands on a lost unsent edit is written again on what the relay holds", async () => {
  const { world, phone, doc } = await settledPhone(17);
  await phone.documents.edit("store", "S-1", [{ field: "town", set: "Nilai" }]);
  await phone.documents.edit("store", "S-1", [{ field: "address", set: "Jalan 2" }]);
  const [first] = await phone.storage.range(`doc-unsent/${doc}/`);
  assert.ok(first !== undefined);
  await phone.storage.commit([{ key: first.key, value: null }]);
  await phone.crash();
  phone.connect();
  await phone.documents.view("store", "S-1");
  await world.settle();
  const value = await valueOf(phone);
  assert.equal(value["address"], "Jalan 2");
  assert.equal(value["town"], null, "what was lost on this device alone is lost");
  assert.deepEqual([phone.documents.dirty(), phone.documents.doubted()], [[], []]);
});

test("a phone that lost a row of the index asks for the whole feed again, once", async () => {
  const { world, phone, doc } = await settledPhone(18);
  await phone.storage.commit([{ key: `doc-index/${doc}`, value: null }]);
  await phone.crash();
  assert.equal(phone.documents.cursor(), null);
  phone.connect();
  await world.settle();
  assert.equal((await valueOf(phone))["name"], "Kedai 4");
  await phone.crash();
  assert.notEqual(phone.documents.cursor(), null);
});

test("many changes that come while an edit is unsent are not folded together with it: it can still be refused", async () => {
  const { world, phone } = await settledPhone(19);
  const siti = world.phones[0];
  phone.connect();
  await world.settle();
  await phone.documents.edit("store", "S-1", [{ field: "town", set: "Nilai" }]);
  for (let index = 0; index < 40; index += 1) {
    await siti?.documents.edit("store", "S-1", [{ field: "stockCount", key: "1047", set: index }]);
    const arrived = async () => JSON.stringify((await valueOf(phone))["stockCount"]) === `{"1047":${index}}`;
    while (!(await arrived())) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      siti?.connection?.deliver("up");
      siti?.connection?.deliver("down");
      phone.connection?.deliver("down");
    }
  }
  // The store has moved away meanwhile: the relay takes nothing and says nothing of it.
  world.relay.rescope(phone.identity.device, () => false);
  await world.settle();
  assert.deepEqual(
    phone.documents.needsYou().map(({ edit }) => edit.field),
    ["town"],
  );
  assert.deepEqual(phone.documents.list("store"), [], "what the relay does not show to this device leaves it");
  phone.disconnect();
  world.relay.rescope(phone.identity.device, () => false);
  phone.connect();
  await world.settle();
  phone.disconnect();
  world.relay.rescope(phone.identity.device, () => true);
  phone.connect();
  await world.settle();
  const value = await valueOf(phone);
  assert.deepEqual([value["town"], value["stockCount"]], [null, { "1047": 39 }]);
});

test("a change that the feed brought while the relay was answering outlives the reset that the answer causes", async () => {
  const { world, phone, doc } = await settledPhone(77);
  const siti = world.phones[0];
  const stored = world.relay.documents.get(doc);
  assert.ok(siti !== undefined && stored !== undefined);
  // What the relay answered before, and what overtook it.
  const answer = { bytes: A.save(stored.replica).slice(), snapshot: true, heads: A.getHeads(stored.replica) };
  phone.connect();
  await world.settle();
  await siti.documents.edit("store", "S-1", [{ field: "town", set: "Nilai" }]);
  await world.settle();
  await phone.documents.reset(doc, new Map(), answer);
  assert.equal((await valueOf(phone))["town"], "Nilai");
  await world.settle();
  assert.deepEqual(phone.documents.doubted(), [], "a repair has found that the relay has it");
  await phone.crash();
  assert.equal((await valueOf(phone))["town"], "Nilai");
});

test("an edit that came to nothing is not shown to its author when the others of its change are refused", async () => {
  const world = new World(78);
  world.relay.judge = ({ change }) => (JSON.stringify(change.ops).includes("Melaka") ? "change.field" : null);
  const phone = await world.phone("Ali");
  await phone.documents.create("store", "S-1", [{ field: "name", set: "Kedai Ali" }]);
  phone.connect();
  await world.settle();
  await phone.documents.edit("store", "S-1", [
    { field: "town", set: "Melaka" },
    { field: "name", set: "Kedai Ali" },
    { field: "tags", key: "hot", set: null },
  ]);
  await world.settle();
  assert.deepEqual(
    phone.documents.needsYou().map(({ edit }) => edit.field),
    ["town"],
  );
});
