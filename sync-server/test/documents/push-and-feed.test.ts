import * as A from "@automerge/automerge/slim";
import { concatBytes } from "@sampai/engine";
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { putDocuments } from "../../src/documents/put-documents.ts";
import { judgePush } from "../../src/documents/push.ts";
import { WaitingChanges } from "../../src/documents/waiting-changes.ts";
import { openDesk, type Desk } from "./desk.ts";

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.close());

const stores = (count: number, territory = "T1") =>
  Array.from({ length: count }, (_, index) => ({
    kind: "store" as const,
    key: `S${index}`,
    values: { name: `Kedai ${index}`, territory, creditLimitSen: 50_000, "priceSen/1047": 350 },
  }));

test("imported stores reach the rep of their territory, whole, and nobody else", async () => {
  assert.deepEqual(await putDocuments(desk.context, stores(30)), { created: 30, changed: 0, unchanged: 0 });
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const stranger = await desk.phone("R002", "rep", ["T2"]);
  await rep.online();
  await stranger.online();
  assert.equal(rep.replicas.size, 30);
  assert.equal(stranger.replicas.size, 0);
  const { value } = rep.view("store", "S7");
  assert.equal(value["name"], "Kedai 7");
  assert.deepEqual(value["priceSen"], { "1047": 350 });
});

test("the same import again writes nothing, and does not undo what a person corrected since", async () => {
  await putDocuments(desk.context, stores(3));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  await rep.pushed("store", "S1", rep.edit("store", "S1", [{ field: "name", set: "Kedai Ah Seng" }]));
  const head = desk.host.stored.head();
  assert.deepEqual(await putDocuments(desk.context, stores(3)), { created: 0, changed: 0, unchanged: 3 });
  assert.equal(desk.host.stored.head(), head);
  const renamed = stores(3).map((store) => ({ ...store, values: { ...store.values, name: "From HQ" } }));
  assert.deepEqual(await putDocuments(desk.context, renamed), { created: 0, changed: 3, unchanged: 0 });
  await rep.when(() => rep.view("store", "S1").value["name"] === "From HQ");
});

test("an edit is stored once, answered with its position, and passed on to everybody else in scope", async () => {
  await putDocuments(desk.context, stores(1));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const supervisor = await desk.phone("SV1", "supervisor", ["T1"]);
  await rep.online();
  await supervisor.online();
  rep.inbox = [];
  const bytes = rep.edit("store", "S0", [{ field: "name", set: "Kedai Baru" }]);
  const first = await rep.pushed("store", "S0", bytes);
  const again = await rep.pushed("store", "S0", bytes);
  assert.equal(first.stored.length, 1);
  assert.deepEqual(again.stored, first.stored);
  assert.deepEqual(first.heads, A.getHeads(rep.replica("store", "S0")));
  await supervisor.when(() => supervisor.view("store", "S0").value["name"] === "Kedai Baru");
  assert.equal(rep.inbox.filter(({ type }) => type === "changes").length, 0, "not back to the sender");
});

test("the same change from two devices at once is one row, and both hear the same position", async () => {
  await putDocuments(desk.context, stores(1));
  const one = await desk.phone("R001", "rep", ["T1"]);
  const two = await desk.phone("R002", "rep", ["T1"]);
  await one.online();
  await two.online();
  const bytes = one.edit("store", "S0", [{ field: "name", set: "X" }]);
  const [a, b] = await Promise.all([one.pushed("store", "S0", bytes), two.pushed("store", "S0", bytes)]);
  assert.deepEqual(a.stored, b.stored);
  assert.equal(a.stored.length, 1);
});

test("an unchanged phone that comes back gets one small frame, and no document is loaded for it", async () => {
  await putDocuments(desk.context, stores(40));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  rep.disconnect();
  const later = await desk.reopen();
  desk = later;
  const back = rep.moved(later);
  await back.online();
  const changes = back.inbox.filter(({ type }) => type === "changes");
  assert.deepEqual(changes, [], "the first frame was the last");
  assert.equal(later.host.open.size.documents, 0);
});

test("a phone that comes back unchanged, into the same territories, makes the relay write nothing of documents", async () => {
  await putDocuments(desk.context, stores(5));
  const rep = await desk.phone("R001", "rep", ["T2", "T1"]);
  await rep.online();
  rep.disconnect();
  await desk.folder.writer.run("note", { rows: [] });
  let commits = 0;
  const stop = desk.folder.writer.onCommit(() => {
    commits += 1;
  });
  const back = rep.moved(desk);
  await back.online();
  back.disconnect();
  const moved = rep.moved(desk, ["T1"]);
  assert.equal(commits, 0);
  moved.connect();
  await desk.folder.writer.run("note", { rows: [] });
  assert.ok(commits > 0, "other territories are noted");
  stop();
});

test("a cursor from before a restart is served from where it stood, the device's own changes included", async () => {
  await putDocuments(desk.context, stores(5));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const other = await desk.phone("R002", "rep", ["T1"]);
  await rep.online();
  await other.online();
  const lost = rep.moved(desk);
  rep.disconnect();
  await other.pushed("store", "S1", other.edit("store", "S1", [{ field: "name", set: "A" }]));
  lost.connect();
  await lost.pushed("store", "S2", lost.edit("store", "S2", [{ field: "name", set: "B" }]));
  lost.disconnect();
  desk = await desk.reopen();
  const back = rep.moved(desk);
  await back.online();
  assert.equal(back.view("store", "S1").value["name"], "A");
  assert.equal(back.view("store", "S2").value["name"], "B");
  assert.equal(desk.host.open.size.documents, 0);
});

test("a new outlet made offline is born at the relay with its edits, and reaches the supervisor", async () => {
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const supervisor = await desk.phone("SV1", "supervisor", ["T1"]);
  await supervisor.online();
  const origin = rep.begin("store", "tmp-1");
  const edit = rep.edit("store", "tmp-1", [
    { field: "name", set: "Kedai Baru" },
    { field: "territory", set: "T1" },
  ]);
  await rep.online();
  const answer = await rep.pushed("store", "tmp-1", concatBytes(origin, edit));
  assert.equal(answer.stored.length, 3);
  await supervisor.when(() => supervisor.replicas.size === 1);
  assert.equal(supervisor.view("store", "tmp-1").value["name"], "Kedai Baru");
});

test("a store that changes territory leaves one phone and enters another while both are connected", async () => {
  await putDocuments(desk.context, stores(3));
  const losing = await desk.phone("R001", "rep", ["T1"]);
  const gaining = await desk.phone("R002", "rep", ["T2"]);
  const boss = await desk.phone("SV1", "supervisor", ["T1", "T2"]);
  for (const phone of [losing, gaining, boss]) await phone.online();
  await boss.pushed("store", "S1", boss.edit("store", "S1", [{ field: "territory", set: "T2" }]));
  await losing.when(() => losing.replicas.size === 2);
  await gaining.when(() => gaining.replicas.size === 1);
  await gaining.pushed("store", "S1", gaining.edit("store", "S1", [{ field: "name", set: "Ours now" }]));
  await boss.when(() => boss.view("store", "S1").value["name"] === "Ours now");
  assert.equal(losing.replicas.has(losing.id("store", "S1")), false);
});

test("edits made before a store left the territory are taken for seven days, and then refused", async () => {
  await putDocuments(desk.context, stores(2));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const boss = await desk.phone("SV1", "supervisor", ["T1", "T2"]);
  await rep.online();
  await boss.online();
  rep.disconnect();
  const first = rep.edit("store", "S0", [{ field: "name", set: "Seen offline" }]);
  const second = rep.edit("store", "S0", [{ field: "name", set: "Seen later" }]);
  await boss.pushed("store", "S0", boss.edit("store", "S0", [{ field: "territory", set: "T2" }]));
  rep.connect();
  const taken = await rep.pushed("store", "S0", first);
  assert.equal(taken.stored.length, 1);
  desk.ahead = 8 * 86_400_000;
  assert.equal(await rep.refusalOf("store", "S0", second), "doc.scope");
  // The phone may never have heard the first answer: what was taken is not called refused.
  const again = await rep.pushed("store", "S0", concatBytes(first, second));
  assert.deepEqual(again.stored, taken.stored);
  assert.deepEqual(
    again.refused.map(({ code }) => code),
    ["doc.scope"],
  );
  assert.deepEqual(again.heads, [], "nothing else of the store is told");
});

test("a leaving that was written down and never delivered is taken back where the store is wanted again, so that a later one is told", async () => {
  await putDocuments(desk.context, stores(1));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const boss = await desk.phone("SV1", "supervisor", ["T1", "T2"]);
  await rep.online();
  await boss.online();
  const { device } = rep.caller;
  const doc = rep.id("store", "S0");
  rep.disconnect();
  // As the relay writes it before the frame, which the broken connection swallowed.
  const version = desk.host.stored.scopeVersion(device).version + 1;
  await desk.folder.writer.run("planScope", { device, enter: [], leave: [doc], version });
  desk.ahead = 8 * 86_400_000;
  rep.connect();
  await rep.online();
  await rep.when(() => (rep.cursor?.scope ?? 0) > version);
  assert.ok(rep.replicas.has(doc));
  rep.disconnect();
  await boss.pushed("store", "S0", boss.edit("store", "S0", [{ field: "territory", set: "T2" }]));
  rep.connect();
  await rep.online();
  await rep.when(() => !rep.replicas.has(doc));
});

test("what a phone was told to drop while it was away leaves when it comes back", async () => {
  await putDocuments(desk.context, stores(3));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const boss = await desk.phone("SV1", "supervisor", ["T1", "T2"]);
  await rep.online();
  await boss.online();
  rep.disconnect();
  await boss.pushed("store", "S1", boss.edit("store", "S1", [{ field: "territory", set: "T2" }]));
  const back = rep.moved(desk);
  await back.online();
  assert.deepEqual([...back.replicas.keys()].toSorted(), [back.id("store", "S0"), back.id("store", "S2")].toSorted());
});

test("a person who gets another territory drops the old stores and gets the new ones", async () => {
  await putDocuments(desk.context, stores(3));
  await putDocuments(desk.context, [{ kind: "store", key: "E1", values: { name: "East", territory: "T2" } }]);
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  rep.disconnect();
  const back = rep.moved(desk, ["T2"]);
  await back.online();
  assert.deepEqual([...back.replicas.keys()], [back.id("store", "E1")]);
});

test("a catch-up that was cut off goes on where it was, and nothing stays on the phone that left meanwhile", async () => {
  const large = stores(60).map((store) => ({ ...store, values: { ...store.values, address: "x".repeat(290) } }));
  await putDocuments(desk.context, large);
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const boss = await desk.phone("SV1", "supervisor", ["T1", "T2"]);
  await boss.online();
  rep.feeds = false;
  rep.connect();
  await rep.send({ type: "feed", n: 1, cursor: null });
  await rep.when(() => rep.replicas.size > 0);
  const before = rep.replicas.size;
  assert.ok(before < 60, "it waits for the phone");
  rep.disconnect();
  const [gone] = rep.replicas.keys();
  const key = [...Array(60).keys()].map((index) => `S${index}`).find((name) => rep.id("store", name) === gone);
  await boss.pushed("store", key ?? "", boss.edit("store", key ?? "", [{ field: "territory", set: "T2" }]));
  const back = rep.moved(desk);
  await back.online();
  assert.equal(back.replicas.size, 59);
  assert.equal(back.replicas.has(String(gone)), false);
});

test("a reader that is slow is not sent live changes, and catches up when its queue is short again", async () => {
  await putDocuments(desk.context, stores(2));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const slow = await desk.phone("R002", "rep", ["T1"]);
  await rep.online();
  await slow.online();
  slow.inbox = [];
  slow.buffered = 1_000_000;
  for (let edit = 0; edit < 5; edit += 1) {
    await rep.pushed("store", "S0", rep.edit("store", "S0", [{ field: "name", set: `n${edit}` }]));
  }
  assert.equal(slow.inbox.length, 0);
  slow.buffered = 0;
  await slow.when(() => slow.view("store", "S0").value["name"] === "n4");
});

test("a phone that doubts its copy gets what it lacks behind the heads it names", async () => {
  await putDocuments(desk.context, stores(1));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  const old = rep.replica("store", "S0");
  const heads = A.getHeads(old);
  for (const name of ["a", "b"])
    await rep.pushed("store", "S0", rep.edit("store", "S0", [{ field: "name", set: name }]));
  const doc = rep.id("store", "S0");
  const unknown = "0".repeat(64);
  await rep.send({ type: "heads", n: 90, doc, heads: [...heads, unknown] });
  const some = await rep.answer(90);
  assert.ok(some.type === "repair");
  assert.equal(some.snapshot, false);
  assert.deepEqual(some.missing, [unknown]);
  const repaired = A.loadIncremental(A.clone(old), some.bytes);
  assert.deepEqual(A.getHeads(repaired), some.heads);
  await rep.send({ type: "heads", n: 91, doc, heads: [] });
  const all = await rep.answer(91);
  assert.ok(all.type === "repair");
  assert.equal(all.snapshot, true);
  assert.deepEqual(A.getHeads(A.load(all.bytes)), all.heads);
});

test("a compacted document is the same as its replayed changes, and what was evicted is loaded again whole", async () => {
  await putDocuments(desk.context, stores(1));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  for (let edit = 0; edit < 25; edit += 1) {
    const edits = [
      { field: "name", set: `n${edit}` },
      { field: "notes", at: 0, remove: 0, insert: "abc" },
      { field: "visitCount", increment: 1 },
    ];
    await rep.pushed("store", "S0", rep.edit("store", "S0", edits));
  }
  await desk.host.snapshots.idle();
  const doc = rep.id("store", "S0");
  const snapshot = desk.host.stored.snapshot(doc);
  assert.ok(snapshot);
  const replayed = A.load(concatBytes(...desk.host.stored.bytesSince(doc, 0).map(({ bytes }) => bytes)));
  const compacted = A.load(
    concatBytes(snapshot.bytes, ...desk.host.stored.bytesSince(doc, snapshot.through + 1).map(({ bytes }) => bytes)),
  );
  assert.deepEqual(A.getHeads(compacted), A.getHeads(replayed));
  assert.deepEqual(A.toJS(compacted), A.toJS(replayed));
  desk = await desk.reopen();
  const back = rep.moved(desk);
  await back.online();
  const answer = await back.pushed("store", "S0", back.edit("store", "S0", [{ field: "town", set: "Seremban" }]));
  assert.equal(answer.stored.length, 1);
  const fresh = await desk.phone("R009", "rep", ["T1"]);
  await fresh.online();
  assert.deepEqual(A.getHeads(fresh.replica("store", "S0")), A.getHeads(back.replica("store", "S0")));
});

test("presence is passed on with the identity that the relay knows, and only within the territory", async () => {
  await putDocuments(desk.context, stores(1));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const boss = await desk.phone("SV1", "supervisor", ["T1"]);
  const stranger = await desk.phone("R002", "rep", ["T2"]);
  for (const phone of [rep, boss, stranger]) await phone.online();
  const doc = rep.id("store", "S0");
  await rep.send({ type: "presence", doc, session: "s", count: 1, data: Uint8Array.of(1) });
  const seen = await boss.until(({ type }) => type === "present");
  assert.ok(seen.type === "present");
  assert.deepEqual([seen.by, seen.role, seen.device], ["R001", "rep", rep.caller.device]);
  assert.equal(
    stranger.inbox.some(({ type }) => type === "present"),
    false,
  );
  await stranger.send({ type: "presence", doc, session: "s", count: 1, data: Uint8Array.of(1) });
  const refused = await stranger.until(({ type }) => type === "refused");
  assert.ok(refused.type === "refused" && refused.code === "doc.scope");
});

test("a buried store leaves the phones that hold it, at once, and takes no more edits", async () => {
  await putDocuments(desk.context, stores(2));
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  const edit = rep.edit("store", "S0", [{ field: "name", set: "x" }]);
  const row = desk.host.registry.get(rep.id("store", "S0"));
  assert.ok(row);
  assert.equal(await desk.host.bury(row, "HQ", "made twice"), true);
  await rep.when(() => rep.replicas.size === 1);
  assert.equal(await rep.refusalOf("store", "S0", edit), "doc.tombstone");
  const { created, unchanged } = await putDocuments(desk.context, stores(2));
  assert.deepEqual([created, unchanged], [0, 2], "an import does not dig it up");
});

test("a person whose territories HQ changes while he is connected gets and drops stores at once", async () => {
  await putDocuments(desk.context, stores(2));
  await putDocuments(desk.context, [{ kind: "store", key: "E1", values: { name: "East", territory: "T2" } }]);
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  const person = { code: "R001", name: "R001", role: "rep", territories: ["T2"] } as const;
  await desk.folder.writer.run("putPeople", { people: [person] });
  await putDocuments(desk.context, []);
  await rep.when(() => rep.replicas.has(rep.id("store", "E1")) && rep.replicas.size === 1);
});

test("documents that are evicted all the time lose nothing", async () => {
  await desk.close();
  desk = await openDesk(undefined, 60_000);
  await putDocuments(desk.context, stores(12));
  const one = await desk.phone("R001", "rep", ["T1"]);
  const two = await desk.phone("R002", "rep", ["T1"]);
  await one.online();
  await two.online();
  for (let round = 0; round < 4; round += 1) {
    const pushes = stores(12).flatMap(({ key }) =>
      [one, two].map(async (phone) => {
        const edit = { field: "openingHours", key: `${phone.caller.person}-${round}`, set: "09:00-18:00" };
        const { stored } = await phone.pushed("store", key, phone.edit("store", key, [edit]));
        assert.equal(stored.length, 1);
      }),
    );
    await Promise.all(pushes);
    assert.ok(desk.host.open.size.documents <= 2);
  }
  const fresh = await desk.phone("R003", "rep", ["T1"]);
  await fresh.online();
  for (const { key } of stores(12)) {
    const hours = fresh.view("store", key).value["openingHours"] as Record<string, unknown>;
    assert.equal(Object.keys(hours).length, 8, key);
    await one.when(
      () => A.getHeads(one.replica("store", key)).join() === A.getHeads(fresh.replica("store", key)).join(),
    );
  }
  assert.deepEqual(desk.errors, []);
});

test("a document's place follows its changes while their commits are still under way", async () => {
  const desk = await openDesk();
  const hq = await desk.phone("H001", "hq", ["*"]);
  hq.connect();
  const origin = hq.begin("store", "S-0099");
  const doc = hq.id("store", "S-0099");
  const territory = hq.edit("store", "S-0099", [{ field: "territory", set: "T7" }]);
  const edits = ["one", "two", "three"].map((name) => hq.edit("store", "S-0099", [{ field: "name", set: name }]));
  assert.ok(hq.connection);
  const viewer = desk.host.viewers.of(hq.connection);
  assert.ok(viewer);
  const pusher = { connection: hq.connection, viewer, waiting: new WaitingChanges() };
  const push = (bytes: Uint8Array) => judgePush({ n: 1, doc, kind: "store", key: "S-0099", bytes }, pusher, desk.host);
  // The first is committed and gives no territory; the others are judged before the next commit is done.
  await (
    await push(origin)
  ).done;
  const handedIn = [];
  for (const bytes of [territory, ...edits]) handedIn.push(await push(bytes));
  for (const { done } of handedIn) assert.ok("pushed" in (await done));
  assert.equal(desk.host.registry.get(doc)?.territory, "T7");
  assert.equal(desk.host.stored.document(doc)?.territory, "T7");
  await desk.close();
});
