import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { putDocuments } from "../../src/documents/put-documents.ts";
import { verifyDocuments } from "../../src/documents/verify.ts";
import { openDesk, type Desk } from "./desk.ts";

/** Closes the relay, changes its database behind its back, and opens it again. */
async function damage(desk: Desk, sql: string, doc: string): Promise<Desk> {
  await desk.close();
  const db = new DatabaseSync(`${desk.dir}/relay.sqlite`);
  assert.ok(db.prepare(sql).run(doc).changes > 0);
  db.close();
  return openDesk(desk.dir);
}

const stores = ["S0", "S1"].map((key) => ({
  kind: "store" as const,
  key,
  values: { name: "Kedai", territory: "T1" },
}));

test("a torn change in the database makes that one document unreadable, says so, and no other", async () => {
  let desk = await openDesk();
  await putDocuments(desk.context, stores);
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  const doc = rep.id("store", "S0");
  desk = await damage(
    desk,
    "update change set bytes = substr(bytes, 1, length(bytes) - 5) where doc = ? and by = 'import'",
    doc,
  );
  const back = rep.moved(desk);
  back.connect();
  const edit = back.edit("store", "S0", [{ field: "name", set: "x" }]);
  assert.equal(await back.refusalOf("store", "S0", edit), "doc.damaged");
  const fine = back.edit("store", "S1", [{ field: "name", set: "fine" }]);
  assert.equal((await back.pushed("store", "S1", fine)).stored.length, 1);
  const fresh = await desk.phone("R002", "rep", ["T1"]);
  await fresh.online();
  assert.deepEqual([...fresh.replicas.keys()], [fresh.id("store", "S1")]);
  assert.equal(fresh.view("store", "S1").value["name"], "fine");
  assert.match(JSON.stringify(desk.errors), new RegExp(doc));
  await desk.close();
});

test("a torn snapshot is no loss: the document is read from its changes, and compacted again", async () => {
  let desk = await openDesk();
  await putDocuments(desk.context, stores);
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  for (let edit = 0; edit < 22; edit += 1) {
    await rep.pushed("store", "S0", rep.edit("store", "S0", [{ field: "name", set: `n${edit}` }]));
  }
  await desk.host.snapshots.idle();
  const doc = rep.id("store", "S0");
  const before = desk.host.stored.snapshot(doc);
  assert.ok(before);
  desk = await damage(desk, "update snapshot set bytes = substr(bytes, 1, length(bytes) - 3) where doc = ?", doc);
  const back = rep.moved(desk);
  await back.online();
  const answer = await back.pushed("store", "S0", back.edit("store", "S0", [{ field: "town", set: "Nilai" }]));
  assert.equal(answer.stored.length, 1);
  await desk.host.snapshots.idle();
  assert.ok((desk.host.stored.snapshot(doc)?.through ?? 0) >= before.through);
  const fresh = await desk.phone("R002", "rep", ["T1"]);
  await fresh.online();
  assert.equal(fresh.view("store", "S0").value["name"], "n21");
  assert.equal(fresh.view("store", "S0").value["town"], "Nilai");
  await desk.close();
});

test("verify names a change whose author or time in its row is not what the change itself says", async () => {
  for (const [column, value] of [
    ["by", "R009"],
    ["at", "2020-01-01T00:00:00.000Z"],
  ] as const) {
    const desk = await openDesk();
    await putDocuments(desk.context, stores);
    const rep = await desk.phone("R001", "rep", ["T1"]);
    await rep.online();
    await rep.pushed("store", "S0", rep.edit("store", "S0", [{ field: "name", set: "new" }]));
    await desk.close();
    const db = new DatabaseSync(`${desk.dir}/relay.sqlite`);
    const { id } = desk.context.workspace;
    assert.deepEqual(await verifyDocuments(db, id, () => undefined), { documents: stores.length });
    db.prepare(`update change set "${column}" = ? where by = 'R001'`).run(value);
    const found = await verifyDocuments(db, id, () => undefined);
    assert.ok("document" in found);
    assert.equal(`${found.document} ${found.what}`, "store S0 says something else than its index");
    db.close();
  }
});
