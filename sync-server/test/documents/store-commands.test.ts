import assert from "node:assert/strict";
import { before, test } from "node:test";
import { putDocuments } from "../../src/documents/put-documents.ts";
import { sampai, serveRelay } from "../relay-process.ts";
import { openDesk } from "./desk.ts";

let dir: string;

before(async () => {
  const desk = await openDesk();
  dir = desk.dir;
  await putDocuments(desk.context, [
    {
      kind: "store",
      key: "S0",
      values: { name: "Kedai Ah Seng", territory: "T1", creditLimitSen: 50_000, "priceSen/1047": 350 },
    },
    { kind: "store", key: "S1", values: { name: "Kedai Lama", territory: "T1" } },
  ]);
  const rep = await desk.phone("R001", "rep", ["T1"]);
  const boss = await desk.phone("SV1", "supervisor", ["T1"]);
  await rep.online();
  await boss.online();
  const at = Date.parse("2025-11-23T07:15:00Z");
  const mine = rep.edit("store", "S0", [{ field: "channel", set: "kopitiam" }], { time: at + 60_000 });
  const yours = boss.edit("store", "S0", [{ field: "channel", set: "pharmacy" }], { time: at });
  await boss.pushed("store", "S0", yours);
  await rep.pushed("store", "S0", mine);
  const price = rep.edit("store", "S0", [{ field: "priceSen", key: "1047", set: 420 }], { time: at + 120_000 });
  await rep.pushed("store", "S0", price);
  await desk.close();
});

test("a supervisor reads why a field has its value, by the field's name or its label", async () => {
  const { status, out, err } = await sampai("store", "explain", "S0", "channel", "--dir", dir);
  assert.equal(status, 0, err);
  assert.deepEqual(out.trim().split("\n"), [
    "Channel of Kedai Ah Seng (S0) is “pharmacy”.",
    "SV1 Bin Test (supervisor) wrote it on 23 Nov 2025, 15:15.",
    "Without knowing of it, R001 Bin Test (rep) wrote “kopitiam” on 23 Nov 2025, 15:16.",
    "Why: The value of SV1 Bin Test (supervisor) is kept over what R001 Bin Test (rep) wrote: the higher role counts, whoever wrote later.",
    "Nothing is lost: to decide otherwise, edit the field; the new value replaces all of them.",
  ]);
  const money = await sampai("store", "explain", "S0", "Credit limit", "--dir", dir);
  assert.match(money.out, /^Credit limit of Kedai Ah Seng \(S0\) is RM 500\.00\.\nHQ's import wrote it on /);
  const row = await sampai("store", "explain", "S0", "shelf price/1047", "--dir", dir);
  assert.match(row.out, /^Shelf price of 1047 of Kedai Ah Seng \(S0\) is RM 4\.20\./);
});

test("a store's history tells who wrote what and when, and its conflicts tell both sides", async () => {
  const { out } = await sampai("store", "history", "S0", "--dir", dir);
  assert.match(out, /23 Nov 2025, 15:16 {2}R001 Bin Test \(rep\) set Channel to “kopitiam”\n/);
  assert.match(out, /HQ's import set .*Shelf price of 1047 to RM 3\.50/);
  const one = await sampai("store", "history", "S0", "priceSen/1047", "--dir", dir);
  assert.equal(one.out.trim().split("\n").length, 2);
  const conflicts = await sampai("store", "conflicts", "S0", "--dir", dir);
  assert.match(conflicts.out, /^Channel of Kedai Ah Seng \(S0\) is “pharmacy”\./);
  assert.match(
    conflicts.out,
    /Disagreements so far:\n.* {2}Channel: The value of SV1.* over what R001.*: the higher role counts/,
  );
});

test("a store or field that is not there is said in a sentence, with a status of its own", async () => {
  const field = await sampai("store", "explain", "S0", "colour", "--dir", dir);
  assert.equal(field.status, 2);
  assert.match(field.err, /A store has no field colour/);
  const rows = await sampai("store", "explain", "S0", "priceSen", "--dir", dir);
  assert.equal(rows.status, 2);
  assert.match(rows.err, /^Shelf price has rows: write priceSen\/1047\.\n/);
  const plain = await sampai("store", "explain", "S0", "name/1047", "--dir", dir);
  assert.match(plain.err, /^Name has no rows: write name alone\.\n/);
  const none = await sampai("store", "explain", "S0", "notes", "--dir", dir);
  assert.match(none.out, /^Notes of Kedai Ah Seng \(S0\) has no value\.\n/);
  const store = await sampai("store", "explain", "S9", "name", "--dir", dir);
  assert.equal(store.status, 1);
  assert.match(store.err, /doc\.unknown/);
});

test("the first word of several commands shows those, and help on it is no mistake", async () => {
  const asked = await sampai("store", "--help");
  assert.equal(asked.status, 0);
  const named = asked.out.split("\n").filter((line) => line.startsWith("  "));
  assert.ok(named.length >= 4 && named.every((line) => line.startsWith("  store ")), asked.out);
  const alone = await sampai("store");
  assert.deepEqual([alone.status, alone.out, alone.err], [2, asked.out, ""]);
  const wrong = await sampai("store", "explian", "S0", "name");
  assert.equal(wrong.status, 2);
  assert.match(wrong.err, /^There is no command store explian\./);
  assert.equal(wrong.out, asked.out);
});

test("a buried store takes no more edits, through a running relay as well as without one", async () => {
  const without = await sampai("store", "bury", "S1", "--dir", dir, "--reason", "made twice");
  assert.equal(without.status, 0, without.err);
  const relay = await serveRelay(dir);
  const again = await sampai("store", "bury", "S1", "--dir", dir);
  assert.equal(again.status, 1);
  assert.match(again.err, /doc\.tombstone/);
  const other = await sampai("store", "bury", "S0", "--dir", dir);
  assert.equal(other.status, 0, other.err);
  const history = await sampai("store", "history", "S0", "--dir", dir);
  assert.match(history.out, /kopitiam/);
  await relay.end("SIGTERM");
});
