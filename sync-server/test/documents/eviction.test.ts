import * as A from "@automerge/automerge/slim";
import { concatBytes, type FieldEdit, type Replica } from "@sampai/engine";
import assert from "node:assert/strict";
import { test } from "node:test";
import { putDocuments } from "../../src/documents/put-documents.ts";
import { Snapshots } from "../../src/documents/snapshots.ts";
import { seeded, type Seeded } from "../../../engine/test/seeded.ts";
import { openDesk, type Desk, type DeskPhone } from "./desk.ts";

const SEEDS = [1, 2, 3, 4, 5, 6];
const ROUNDS = 24;
const KEYS = ["S0", "S1", "S2", "S3", "S4"];
/** Room for a document or two, so that each round evicts. */
const OPEN_BYTES = 60_000;

const stores = KEYS.map((key) => ({
  kind: "store" as const,
  key,
  values: { name: `Kedai ${key}`, territory: "T1", creditLimitSen: 50_000, "priceSen/1047": 350 },
}));

for (const seed of SEEDS) {
  test(`evictions, compactions and restarts in any order lose not a byte of what was answered (seed ${seed})`, async () => {
    const random = seeded(seed);
    let desk = await openDesk(undefined, OPEN_BYTES);
    await putDocuments(desk.context, stores);
    let phones = await Promise.all(["R001", "R002", "R003"].map((rep) => desk.phone(rep, "rep", ["T1"])));
    for (const phone of phones) await phone.online();
    /** Every change that was answered with a position, by document and hash. */
    const answered = new Map<string, Uint8Array>();
    for (let round = 0; round < ROUNDS; round += 1) {
      if (random.chance(0.15)) {
        desk = await desk.reopen();
        phones = phones.map((phone) => phone.moved(desk));
        for (const phone of phones) await phone.online();
      }
      for (const key of KEYS)
        if (random.chance(0.2)) desk.host.snapshots.request((phones[0] as DeskPhone).id("store", key));
      if (random.chance(0.1)) await desk.host.snapshots.idle();
      await Promise.all(phones.map((phone) => pushSome(phone, random.pick(KEYS), random, answered)));
    }
    await desk.host.snapshots.idle();
    assert.ok(desk.host.open.size.documents <= 2, "all but the newest were evicted");
    const docs = KEYS.map((key) => (phones[0] as DeskPhone).id("store", key));
    assert.ok(
      docs.some((doc) => desk.host.stored.snapshot(doc) !== undefined),
      "some were compacted",
    );
    for (const doc of docs) await judge(desk, doc, answered);
    assert.deepEqual(desk.errors, []);
    await desk.close();
  });
}

/** One to three edits in one push, upon whatever this phone has by now. */
async function pushSome(
  phone: DeskPhone,
  key: string,
  random: Seeded,
  answered: Map<string, Uint8Array>,
): Promise<void> {
  const changes = Array.from({ length: 1 + random.below(3) }, () => phone.edit("store", key, [anEdit(random)]));
  // An edit that changes nothing is no change: the one before is pushed again.
  const byHash = new Map(changes.map((bytes) => [A.decodeChange(bytes).hash, bytes]));
  const { stored, refused } = await phone.pushed("store", key, concatBytes(...changes));
  assert.deepEqual([stored.length, refused], [byHash.size, []]);
  for (const [hash, bytes] of byHash) answered.set(`${phone.id("store", key)} ${hash}`, bytes);
}

function anEdit(random: Seeded): FieldEdit {
  const row = String(1_040 + random.below(8));
  return random.pick<FieldEdit>([
    { field: "facings", key: row, set: random.below(20) },
    { field: "name", set: `Kedai ${random.below(1_000)}` },
    { field: "notes", at: 0, remove: 0, insert: `${random.below(1_000)} boxes. ` },
    { field: "visitCount", increment: 1 },
  ]);
}

/** What is stored is what came; what is loaded, from a snapshot or without, has every stored change and no other. */
async function judge(desk: Desk, doc: string, answered: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const { stored, registry, open } = desk.host;
  for (const [name, bytes] of answered) {
    const [of, hash] = name.split(" ") as [string, string];
    if (of === doc) assert.deepEqual(stored.bytesOf(doc, hash), bytes, "the stored bytes are those that came");
  }
  const row = registry.get(doc);
  assert.ok(row);
  const opened = await open.open(row);
  assert.ok(opened.ok);
  const replayed = A.load<Record<string, unknown>>(concatBytes(...stored.bytesSince(doc, 0).map(({ bytes }) => bytes)));
  assert.deepEqual(hashesOf(opened.value.replica), hashesOf(replayed));
  assert.deepEqual(
    hashesOf(replayed),
    stored
      .changes(doc)
      .map(({ hash }) => hash)
      .sort(),
  );
  assert.deepEqual([...opened.value.heads].sort(), [...row.heads].sort());
  const snapshot = stored.snapshot(doc);
  if (snapshot !== undefined) assert.deepEqual(A.getHeads(A.load(snapshot.bytes)).sort(), [...snapshot.heads].sort());
}

function hashesOf(replica: Replica): string[] {
  return A.getAllChanges(replica)
    .map((bytes) => A.decodeChange(bytes).hash)
    .sort();
}

test("a document is compacted when it has rested, or has grown by much, and not at each of many changes", async () => {
  const desk = await openDesk();
  await putDocuments(desk.context, stores.slice(0, 1));
  await desk.host.snapshots.idle();
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  const doc = rep.id("store", "S0");
  let nowMs = 0;
  const timers: { readonly atMs: number; readonly run: () => void }[] = [];
  const after = (delayMs: number, run: () => void) => {
    timers.push({ atMs: nowMs + delayMs, run });
    return () => undefined;
  };
  const { writer, registry, open, stored } = desk.host;
  const onBroken = (_: string, error: unknown) => assert.fail(String(error));
  const onMade = () => undefined;
  const snapshots = new Snapshots({ clock: { tickMs: () => nowMs, after }, writer, registry, open, onMade, onBroken });
  const through = () => stored.snapshot(doc)?.through ?? -1;
  const write = async (count: number) => {
    const bytes = new Uint8Array(10);
    const { stored: positions } = await rep.pushed(
      "store",
      "S0",
      rep.edit("store", "S0", [{ field: "town", set: `T${nowMs}` }]),
    );
    const changes = Array.from({ length: count }, () => ({ position: positions[0] ?? 0, bytes }));
    const row = registry.get(doc);
    assert.ok(row);
    snapshots.stored({ row, changes, head: 0, born: false, from: null });
  };
  const pass = (ms: number) => {
    nowMs += ms;
    for (const timer of timers.splice(0))
      if (timer.atMs <= nowMs) timer.run();
      else timers.push(timer);
  };
  const before = through();
  for (let times = 0; times < 10; times += 1) {
    await write(20);
    pass(900);
  }
  assert.equal(through(), before, "two hundred changes, and never a second of rest");
  pass(1_100);
  pass(1_100);
  await snapshots.idle();
  const rested = through();
  assert.ok(rested > before, "it has rested");
  await write(400);
  await snapshots.idle();
  assert.ok(through() > rested, "it has grown by much");
  await snapshots.stop();
  await desk.close();
});
