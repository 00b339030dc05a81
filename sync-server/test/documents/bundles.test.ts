import * as A from "@automerge/automerge/slim";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { databaseFile } from "../../src/database/connection.ts";
import { putDocuments } from "../../src/documents/put-documents.ts";
import { openDesk, type Desk, type DeskPhone } from "./desk.ts";

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.close());

const COUNT = 30;

/** Stores that are compacted and bundled. */
async function bundledStores(): Promise<void> {
  const stores = Array.from({ length: COUNT }, (_, index) => ({
    kind: "store" as const,
    key: `S${index}`,
    values: { name: `Kedai ${index}`, territory: "T1" },
  }));
  await putDocuments(desk.context, stores);
  for (const { doc } of desk.host.registry.all()) desk.host.snapshots.request(doc);
  await desk.host.snapshots.idle();
  await desk.host.bundles.idle();
}

async function newPhone(person: string, unfolds = true, territories = ["T1"]): Promise<DeskPhone> {
  const phone = await desk.phone(person, "rep", territories);
  phone.unfolds = unfolds;
  return phone;
}

const headsOn = (phone: DeskPhone) =>
  [...phone.replicas].map(([doc, replica]) => `${doc} ${A.getHeads(replica).join()}`).toSorted();

test("a compacted territory travels in bundles, and a phone that cannot unfold them gets the same documents singly", async () => {
  await bundledStores();
  const unfolding = await newPhone("R001");
  const plain = await newPhone("R002", false);
  await unfolding.online();
  await plain.online();
  assert.ok(unfolding.bundles > 0);
  assert.equal(plain.bundles, 0);
  assert.equal(unfolding.replicas.size, COUNT);
  assert.deepEqual(headsOn(unfolding), headsOn(plain));
  assert.equal(desk.host.open.size.documents, COUNT, "none was loaded but for its compaction");
});

test("what was changed since a bundle was made comes with it, also when the phone was cut off in between", async () => {
  await bundledStores();
  const writer = await newPhone("R001");
  await writer.online();
  await writer.pushed("store", "S3", writer.edit("store", "S3", [{ field: "town", set: "Nilai" }]));
  const other = await newPhone("R002");
  await other.online();
  assert.ok(other.bundles > 0);
  assert.equal(other.view("store", "S3").value["town"], "Nilai");
  const cut = await newPhone("R003");
  cut.feeds = false;
  cut.connect();
  await cut.send({ type: "feed", n: cut.next(), cursor: null, bundles: true });
  await cut.when(() => cut.replicas.size > 0);
  cut.disconnect();
  const back = cut.moved(desk);
  await back.online();
  assert.deepEqual(headsOn(back), headsOn(other));
});

test("a bundle outlives a restart, and one whose bytes are damaged is not sent but made again", async () => {
  await bundledStores();
  desk = await desk.reopen();
  const first = await newPhone("R001");
  await first.online();
  assert.ok(first.bundles > 0);
  const db = new DatabaseSync(databaseFile(desk.dir));
  db.exec("update bundle set deflated = zeroblob(length(deflated))");
  db.close();
  const second = await newPhone("R002");
  await second.online();
  assert.equal(second.bundles, 0);
  assert.deepEqual(headsOn(second), headsOn(first));
  await desk.host.bundles.idle();
  const third = await newPhone("R003");
  await third.online();
  assert.ok(third.bundles > 0);
  assert.deepEqual(headsOn(third), headsOn(first));
});

test("a bundle with a store that is not for this phone is not sent, and the store that left is bundled no more", async () => {
  await bundledStores();
  const boss = await desk.phone("SV1", "supervisor", ["T1", "T2"]);
  await boss.online();
  for (const key of ["S1", "S20"]) {
    await boss.pushed("store", key, boss.edit("store", key, [{ field: "territory", set: "T2" }]));
  }
  const early = await newPhone("R001");
  await early.online();
  assert.equal(early.replicas.size, COUNT - 2);
  await desk.host.bundles.idle();
  const late = await newPhone("R002");
  await late.online();
  assert.ok(late.bundles > 0);
  assert.deepEqual(headsOn(late), headsOn(early));
});

test("where much was changed since, the documents are sent as they are now and compacted anew", async () => {
  await bundledStores();
  const writer = await newPhone("R001");
  await writer.online();
  for (let edit = 0; edit < 12; edit += 1) {
    const text = `${edit} ${"x".repeat(290)}`;
    await writer.pushed("store", "S3", writer.edit("store", "S3", [{ field: "address", set: text }]));
  }
  const other = await newPhone("R002");
  await other.online();
  assert.equal(other.view("store", "S3").value["address"], `11 ${"x".repeat(290)}`);
  await desk.host.snapshots.idle();
  await desk.host.bundles.idle();
  const late = await newPhone("R003");
  await late.online();
  assert.ok(late.bundles > other.bundles);
  assert.deepEqual(headsOn(late), headsOn(other));
});
