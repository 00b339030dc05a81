import * as A from "@automerge/automerge/slim";
import { authorMessage, concatBytes, containersOf } from "@sampai/engine";
import { limits } from "@sampai/engine/wire";
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, afterEach, before, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { putDocuments } from "../../src/documents/put-documents.ts";
import { openDesk, type Desk, type DeskPhone } from "./desk.ts";
import { changeChunk, chunk } from "./forged-changes.ts";

let desk: Desk;
let rep: DeskPhone;
let boss: DeskPhone;
let number = 0;

before(async () => {
  desk = await openDesk();
  rep = await desk.phone("R001", "rep", ["T1"]);
  boss = await desk.phone("SV1", "supervisor", ["T1", "T2"]);
  await rep.online();
  await boss.online();
});
after(() => desk.close());
afterEach(() => assert.deepEqual(desk.errors.splice(0), [], "the relay has logged no error"));

/** A store of T1 that is on both phones. */
async function newStore(): Promise<string> {
  number += 1;
  const key = `G${number}`;
  await putDocuments(desk.context, [{ kind: "store", key, values: { name: "Kedai", territory: "T1" } }]);
  const doc = rep.id("store", key);
  await rep.when(() => rep.replicas.has(doc));
  await boss.when(() => boss.replicas.has(doc));
  return key;
}

/** Nothing of a hostile push is in the document, and the next honest edit goes through and reaches everybody. */
async function unharmed(key: string): Promise<void> {
  const word = randomBytes(6).toString("hex");
  const answer = await boss.pushed("store", key, boss.edit("store", key, [{ field: "town", set: word }]));
  assert.equal(answer.stored.length, 1);
  const fresh = await desk.phone(`R${100 + number}`, "rep", ["T1"]);
  await fresh.online();
  assert.equal(fresh.view("store", key).value["town"], word);
  fresh.disconnect();
}

interface Forged {
  actor?: string;
  seq?: number;
  startOp?: number;
  deps?: string[];
  message?: string;
  time?: number;
  ops: object[];
}

/** Any change that Automerge can write down, true checksum included. */
function forge(key: string, forged: Forged, by = rep): Uint8Array {
  const replica = by.replica("store", key);
  const { person, role, device } = by.caller;
  const metas = A.getChangesMetaSince(replica, []);
  const deps = forged.deps ?? A.getHeads(replica);
  const maxOp = Math.max(...metas.filter(({ hash }) => deps.includes(hash)).map((meta) => meta.maxOp), 0);
  return A.encodeChange({
    actor: forged.actor ?? by.actor,
    seq: forged.seq ?? 1 + metas.filter(({ actor }) => actor === by.actor).length,
    startOp: forged.startOp ?? maxOp + 1,
    time: forged.time ?? Date.now(),
    message: forged.message ?? authorMessage({ by: person, role, device }),
    deps,
    ops: forged.ops,
  } as unknown as Parameters<typeof A.encodeChange>[0]);
}

/** Pushes a forged change that is sound, and takes it into the phone's own copy. */
async function pushForged(key: string, bytes: Uint8Array): Promise<void> {
  const answer = await rep.pushed("store", key, bytes);
  assert.equal(answer.stored.length, 1, JSON.stringify(answer));
  rep.replicas.set(rep.id("store", key), A.applyChanges(rep.replica("store", key), [bytes])[0]);
}

const setName = (value: unknown = "Forged") => [{ action: "set", obj: "_root", key: "name", value, pred: [] }];

test("a change that the phone itself encoded goes through, so that the forgeries below fail for their own reason", async () => {
  const key = await newStore();
  await pushForged(key, forge(key, { ops: setName() }));
});

test("a forged author, role or device is refused, and so is a change that names nobody", async () => {
  const key = await newStore();
  const { person, device } = rep.caller;
  const messages = [
    authorMessage({ by: "R999", role: "rep", device }),
    authorMessage({ by: person, role: "supervisor", device }),
    authorMessage({ by: person, role: "rep", device: "nobody" }),
    authorMessage({ by: person, role: "rep", device: boss.caller.device }),
    "",
    "not JSON",
  ];
  for (const message of messages) {
    const bytes = forge(key, { message, ops: setName() });
    assert.equal(await rep.refusalOf("store", key, bytes), "change.author", message);
  }
  const actor = boss.actor.slice(0, 16) + randomBytes(8).toString("hex");
  const bytes = forge(key, { actor, seq: 1, ops: setName() });
  assert.equal(await rep.refusalOf("store", key, bytes), "change.author");
  await unharmed(key);
});

test("a change that another known device brings is taken where both roles may make it, and marked as vouched", async () => {
  const key = await newStore();
  const limit = boss.edit("store", key, [{ field: "creditLimitSen", set: 1 }]);
  assert.equal(await rep.refusalOf("store", key, limit), "change.field");
  const other = await newStore();
  const town = boss.edit("store", other, [{ field: "town", set: "Nilai" }]);
  assert.equal((await rep.pushed("store", other, town)).stored.length, 1);
  const rows = desk.host.stored.changes(rep.id("store", other));
  assert.equal(rows.at(-1)?.vouched, true);
  assert.equal(rows.at(-1)?.by, "SV1");
});

test("what a revoked device wrote is not vouched for by anybody", async () => {
  const key = await newStore();
  const lost = await desk.phone("R050", "rep", ["T1"]);
  await lost.online();
  const bytes = lost.edit("store", key, [{ field: "name", set: "Late" }]);
  await desk.folder.writer.run("revoke", { device: lost.caller.device, by: "HQ", reason: "stolen" });
  assert.equal(await rep.refusalOf("store", key, bytes), "change.author");
});

test("a field that the role may not change is refused, and the supervisor may", async () => {
  const key = await newStore();
  const forbidden = rep.edit("store", key, [{ field: "creditLimitSen", set: 9_999_999 }]);
  assert.equal(await rep.refusalOf("store", key, forbidden), "change.field");
  const allowed = boss.edit("store", key, [{ field: "creditLimitSen", set: 70_000 }]);
  assert.equal((await boss.pushed("store", key, allowed)).stored.length, 1);
});

test("a first value can be given only once: an old view does not make a field empty again", async () => {
  const key = await newStore();
  const genesis = A.getChangesMetaSince(rep.replica("store", key), []).slice(0, 2);
  const deps = [genesis[1]?.hash ?? ""];
  const ops = [{ action: "set", obj: "_root", key: "territory", value: "T1", pred: [] }];
  assert.equal(await rep.refusalOf("store", key, forge(key, { deps, ops })), "change.field");
});

test("a forbidden change that hides behind a withheld dependency is refused when the dependency comes", async () => {
  const key = await newStore();
  const harmless = rep.edit("store", key, [{ field: "name", set: "Harmless" }]);
  const forbidden = rep.edit("store", key, [{ field: "creditLimitSen", set: 1 }]);
  const last = rep.edit("store", key, [{ field: "town", set: "Behind it" }]);
  const first = await rep.pushed("store", key, concatBytes(forbidden, last));
  assert.deepEqual(first.stored, []);
  assert.deepEqual(first.missing, [A.decodeChange(harmless).hash]);
  const second = await rep.pushed("store", key, harmless);
  assert.equal(second.stored.length, 1);
  assert.deepEqual(
    second.refused.map(({ hash, code }) => [hash, code]),
    [
      [A.decodeChange(forbidden).hash, "change.field"],
      [A.decodeChange(last).hash, "change.dependencies"],
    ],
  );
  const [row] = [desk.host.registry.get(rep.id("store", key))];
  assert.deepEqual(row?.heads, [A.decodeChange(harmless).hash]);
  await unharmed(key);
});

test("a change that waits for a dependency is stored when that comes, over the same connection", async () => {
  const key = await newStore();
  const one = rep.edit("store", key, [{ field: "name", set: "One" }]);
  const two = rep.edit("store", key, [{ field: "name", set: "Two" }]);
  assert.equal((await rep.pushed("store", key, two)).stored.length, 0);
  assert.equal((await rep.pushed("store", key, one)).stored.length, 2);
});

test("an id that does not belong to kind and key, an unknown kind and an unknown document are refused", async () => {
  const key = await newStore();
  const bytes = rep.edit("store", key, [{ field: "name", set: "x" }]);
  assert.equal(await rep.refusalOf("store", key, bytes, rep.id("store", "another")), "doc.id");
  assert.equal(await rep.refusalOf("price", key, bytes), "doc.unknown-kind");
  assert.equal(await rep.refusalOf("store", "never-made", bytes, rep.id("store", "never-made")), "doc.unknown");
  await rep.send({ type: "heads", n: rep.next(), doc: rep.id("store", "never-made"), heads: [] });
  const refused = await rep.until(({ type }) => type === "refused");
  assert.ok(refused.type === "refused" && refused.code === "doc.unknown");
});

test("3,000 unknown ids leave nothing in memory", async () => {
  const documents = desk.host.open.size.documents;
  const key = await newStore();
  const bytes = rep.edit("store", key, [{ field: "name", set: "x" }]);
  for (let index = 0; index < 3_000; index += 1) {
    assert.equal(await rep.refusalOf("store", `no-${index}`, bytes, rep.id("store", `no-${index}`)), "doc.unknown");
  }
  assert.ok(desk.host.open.size.documents <= documents + 1);
});

test("a document of another territory is refused, to write, to repair and to make", async () => {
  await putDocuments(desk.context, [{ kind: "store", key: "FAR", values: { name: "Far", territory: "T2" } }]);
  await boss.when(() => boss.replicas.has(boss.id("store", "FAR")));
  const bytes = boss.edit("store", "FAR", [{ field: "name", set: "x" }]);
  assert.equal(await rep.refusalOf("store", "FAR", bytes), "doc.scope");
  await rep.send({ type: "heads", n: 7_000, doc: rep.id("store", "FAR"), heads: [] });
  const refused = await rep.answer(7_000);
  assert.ok(refused.type === "refused" && refused.code === "doc.scope");
  const origin = rep.begin("store", "elsewhere");
  const made = rep.edit("store", "elsewhere", [{ field: "territory", set: "T2" }]);
  const answer = await rep.pushed("store", "elsewhere", concatBytes(origin, made));
  assert.deepEqual(
    answer.refused.map(({ code }) => code),
    ["doc.scope"],
  );
  const plan = rep.begin("plan", "R002/2026-W48");
  assert.equal(await rep.refusalOf("plan", "R002/2026-W48", plan), "doc.scope");
});

test("a run-length bomb and a DEFLATE bomb are refused, and cost nobody anything", async () => {
  const key = await newStore();
  const bomb = changeChunk({ operations: 400_000, actor: rep.actor });
  const answer = await rep.pushed("store", key, bomb);
  assert.deepEqual(
    answer.refused.map(({ hash, code }) => [hash, code]),
    [[createHash("sha256").update(bomb.subarray(8)).digest("hex"), "change.operations"]],
  );
  const deflated = chunk(2, deflateRawSync(Buffer.alloc(60_000_000)));
  assert.equal(await rep.refusalOf("store", key, deflated), "change.oversized");
  assert.equal(await rep.refusalOf("store", key, chunk(0, new Uint8Array(100))), "change.malformed");
  assert.equal(await rep.refusalOf("store", key, new Uint8Array(100)), "change.malformed");
  await unharmed(key);
});

test("a sequence gap, a repeated sequence with other content and a wrong first operation are refused", async () => {
  const key = await newStore();
  assert.equal(await rep.refusalOf("store", key, forge(key, { seq: 2, ops: setName() })), "change.sequence");
  assert.equal(await rep.refusalOf("store", key, forge(key, { startOp: 3, ops: setName() })), "change.sequence");
  assert.equal(await rep.refusalOf("store", key, forge(key, { startOp: 9_999, ops: setName() })), "change.sequence");
  const first = forge(key, { seq: 1, ops: setName("First") });
  const twin = forge(key, { seq: 1, ops: setName("Twin") });
  await pushForged(key, first);
  assert.equal(await rep.refusalOf("store", key, twin), "change.sequence");
  await unharmed(key);
});

test("a change that does not stand behind its author's last one is refused, because its operations would have used numbers", async () => {
  const key = await newStore();
  const deps = A.getHeads(rep.replica("store", key));
  await pushForged(key, forge(key, { seq: 1, deps, ops: setName("One") }));
  const bytes = forge(key, { seq: 2, deps, ops: setName("Two") });
  assert.equal(await rep.refusalOf("store", key, bytes), "change.sequence");
  await unharmed(key);
});

test("an unknown object, predecessor or character is refused before Automerge sees it", async () => {
  const key = await newStore();
  const nobody = "ab".repeat(16);
  const [text] = [...containersOf("store")].find(([, field]) => field === "notes") ?? [""];
  const [prices] = [...containersOf("store")].find(([, field]) => field === "priceSen") ?? [""];
  const forgeries: object[] = [
    { action: "set", obj: `7@${nobody}`, key: "1047", value: 1, pred: [] },
    { action: "set", obj: "_root", key: "name", value: "x", pred: [`3@${nobody}`] },
    { action: "set", obj: prices, key: "1047", value: 1, pred: [prices] },
    { action: "set", obj: text, elemId: `9@${nobody}`, insert: true, value: "x", pred: [] },
    { action: "del", obj: text, elemId: prices, pred: [prices] },
    { action: "del", obj: text, elemId: `9@${nobody}`, pred: [`9@${nobody}`] },
    { action: "inc", obj: "_root", key: "visitCount", value: 1, pred: [] },
  ];
  for (const op of forgeries) {
    const code = await rep.refusalOf("store", key, forge(key, { ops: [op] }));
    assert.equal(code, "change.reference", JSON.stringify(op));
  }
  await unharmed(key);
});

test("what breaks the shape of a document is refused", async () => {
  const key = await newStore();
  const [prices] = [...containersOf("store")].find(([, field]) => field === "priceSen") ?? [""];
  const counter = A.getBackend(rep.replica("store", key)).getAll("_root", "visitCount")[0]?.at(-1);
  const forgeries: [object, string][] = [
    [{ action: "makeMap", obj: "_root", key: "name", pred: [] }, "change.shape"],
    [{ action: "makeText", obj: "_root", key: "name", pred: [] }, "change.shape"],
    [{ action: "set", obj: "_root", key: "priceSen", value: 1, pred: [prices] }, "change.shape"],
    [{ action: "set", obj: "_root", key: "notes", value: "gone", pred: [] }, "change.shape"],
    [
      { action: "set", obj: "_root", key: "visitCount", value: 0, datatype: "counter", pred: [counter] },
      "change.shape",
    ],
    [{ action: "inc", obj: "_root", key: "visitCount", value: -1, pred: [counter] }, "change.shape"],
    [{ action: "set", obj: "_root", key: "kind", value: "visit", pred: [] }, "doc.id"],
    [{ action: "set", obj: "_root", key: "nothing", value: 1, pred: [] }, "change.schema"],
    [{ action: "set", obj: "_root", key: "name", value: 7, datatype: "int", pred: [] }, "change.schema"],
    [{ action: "set", obj: "_root", key: "name", value: "x".repeat(121), pred: [] }, "change.schema"],
    [{ action: "set", obj: "_root", key: "lat", value: 91, datatype: "float64", pred: [] }, "change.schema"],
    [{ action: "set", obj: "_root", key: "status", value: "burnt", pred: [] }, "change.schema"],
  ];
  for (const [op, code] of forgeries) {
    assert.equal(await rep.refusalOf("store", key, forge(key, { ops: [op] })), code, JSON.stringify(op));
  }
  const name = A.getBackend(rep.replica("store", key)).getAll("_root", "name")[0]?.at(-1);
  const deletion = forge(key, { ops: [{ action: "del", obj: "_root", key: "name", pred: [name] }] });
  assert.equal(await rep.refusalOf("store", key, deletion), "change.shape");
  await unharmed(key);
});

test("a text that grows beyond its bound is refused", async () => {
  const key = await newStore();
  const insert = "x".repeat(9_000);
  for (let part = 0; part < 2; part += 1) {
    const bytes = rep.edit("store", key, [{ field: "notes", at: 0, remove: 0, insert }]);
    assert.equal((await rep.pushed("store", key, bytes)).stored.length, 1);
  }
  const more = rep.edit("store", key, [{ field: "notes", at: 0, remove: 0, insert }]);
  assert.equal(await rep.refusalOf("store", key, more), "change.schema");
});

test("text that two people edit at once merges, deletions included", async () => {
  const key = await newStore();
  await rep.pushed("store", key, rep.edit("store", key, [{ field: "notes", at: 0, remove: 0, insert: "hello" }]));
  await boss.when(() => boss.view("store", key).value["notes"] === "hello");
  const mine = rep.edit("store", key, [{ field: "notes", at: 1, remove: 2, insert: "ipp" }]);
  const yours = boss.edit("store", key, [{ field: "notes", at: 5, remove: 0, insert: "!" }]);
  await rep.pushed("store", key, mine);
  await boss.pushed("store", key, yours);
  await rep.when(() => rep.view("store", key).value["notes"] === "hipplo!");
  await boss.when(() => boss.view("store", key).value["notes"] === "hipplo!");
});

test("a change that is dated more than ten minutes ahead is refused", async () => {
  const key = await newStore();
  const late = forge(key, { time: Date.now() + limits.aheadMs + 60_000, ops: setName() });
  assert.equal(await rep.refusalOf("store", key, late), "change.time");
});

test("a field that never goes back is refused where its author saw more, also within one change", async () => {
  const visit = "01936a5e-0000-7000-8000-00000000000a";
  const origin = rep.begin("visit", visit);
  const edits = [
    { field: "rep", set: "R001" },
    { field: "territory", set: "T1" },
    { field: "state", set: "done" },
  ];
  await rep.pushed("visit", visit, concatBytes(origin, rep.edit("visit", visit, edits)));
  const back = rep.edit("visit", visit, [{ field: "state", set: "open" }]);
  assert.equal(await rep.refusalOf("visit", visit, back), "change.field");
});

test("what is refused stands in the trail with its code", async () => {
  const key = await newStore();
  await rep.refusalOf("store", key, forge(key, { seq: 5, ops: setName() }));
  const rows = desk.folder.db
    .prepare("select detail from trail where topic = 'document.refused' and item = ?")
    .all(rep.id("store", key));
  assert.equal(rows.length, 1);
  assert.match(String(rows[0]?.["detail"]), /change\.sequence/);
});

test("a disagreement stands in the trail with both values, authors, rule and reason", async () => {
  const key = await newStore();
  const mine = rep.edit("store", key, [{ field: "channel", set: "kopitiam" }]);
  const yours = boss.edit("store", key, [{ field: "channel", set: "pharmacy" }]);
  await boss.pushed("store", key, yours);
  await rep.pushed("store", key, mine);
  const rows = desk.folder.db
    .prepare("select detail from trail where topic = 'document.conflict' and item = ?")
    .all(rep.id("store", key));
  assert.equal(rows.length, 1);
  const detail = JSON.parse(String(rows[0]?.["detail"])) as {
    rule: string;
    reason: string;
    winner: { value: string; by: string };
    losers: { value: string; by: string }[];
  };
  assert.equal(detail.rule, "authority");
  assert.deepEqual([detail.winner.value, detail.winner.by], ["pharmacy", "SV1"]);
  assert.deepEqual([detail.losers[0]?.value, detail.losers[0]?.by], ["kopitiam", "R001"]);
  assert.match(detail.reason, /higher role/);
});
