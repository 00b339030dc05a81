import { startAutomerge } from "@sampai/engine/adapters/automerge";
import { concatBytes, documentId, type FieldEdit } from "@sampai/engine";
import { dayIn } from "@sampai/engine/core";
import assert from "node:assert/strict";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openForReading } from "../../src/database/connection.ts";
import { openFollowers } from "../../src/followers/database.ts";
import { createMasterRecords } from "../../src/followers/master-records.ts";
import { createNoteQueue } from "../../src/followers/notes.ts";
import { createRelayMasters } from "../../src/followers/relay-masters.ts";
import { createRunner } from "../../src/followers/runner.ts";
import { createStreams } from "../../src/followers/streams.ts";
import { packsOf } from "../../src/reference/stored-packs.ts";
import { openWorkspace } from "../../src/workspace.ts";
import { openDesk } from "../documents/desk.ts";
import { newFolder, sampai } from "../relay-process.ts";
import { clockAt } from "./relay-folder.ts";

test("store masters, plans and packs of an import are what facts are judged by, as they stood when a fact came", async () => {
  await startAutomerge();
  const dir = await newFolder();
  const imported = await sampai("import", path.join(import.meta.dirname, "../../demo"), "--dir", dir);
  assert.equal(imported.status, 0, imported.err);
  const relay = openForReading(dir);
  const db = openFollowers(dir);
  const clock = clockAt(Date.now());
  const zone = "Asia/Kuala_Lumpur";
  const packs = packsOf(relay);
  const { id: workspace } = openWorkspace(dir, zone);
  const masters = createRelayMasters({ relay, db, packs, workspace });
  const notes = createNoteQueue(db, relay);
  const followers = [createMasterRecords(relay, () => packs.newest())];
  const streams = createStreams(relay);
  const runner = createRunner({ db, streams, followers, masters, notes, clock, zone, changed: () => undefined });
  while (runner.turn());
  const [status] = runner.status();
  assert.deepEqual([status?.behind, status?.failures], [0, 0]);

  const stops = masters.stopsOn(dayIn(clock.wallMs(), zone));
  assert.equal(stops.length, 72, "twelve reps with six stops each");
  const [stop] = stops;
  assert.match(stop?.plan ?? "", /^R\d{3}\/\d{4}-W\d\d\/\d{4}-\d\d-\d\d\/\d+$/);
  const store = masters.storeAt(stop?.store ?? "", new Date().toISOString());
  assert.ok(store !== null && store.lat !== null && store.lat > 2 && store.lat < 4);
  assert.ok(store.uncertaintyMeters > 0, "approximate coordinates say how uncertain they are");
  assert.equal(masters.storeAt(stop?.store ?? "", "2020-01-01T00:00:00.000Z"), null, "nobody knew it then");
  assert.equal(masters.newestPack()?.number, 1);

  const doc = documentId(workspace, "store", stop?.store ?? "");
  const { heads } = relay.prepare("select heads from document where doc = ?").get(doc) as { heads: string };
  const seen = masters.storeSeen(stop?.store ?? "", JSON.parse(heads) as string[]);
  assert.equal(seen?.status, "active");
  const first = relay.prepare("select hash from change where doc = ? order by position limit 1").get(doc) as {
    hash: string;
  };
  assert.equal(masters.storeSeen(stop?.store ?? "", [first.hash])?.status, null, "before it was filled in");
  assert.equal(masters.storeSeen(stop?.store ?? "", ["0".repeat(64)]), null, "heads that nobody here holds");
  db.close();
  relay.close();
});

test("a store's record follows each change of its fields, and none of others, whether it is followed live or from nothing", async () => {
  const desk = await openDesk();
  const rep = await desk.phone("R001", "rep", ["T1"]);
  await rep.online();
  const key = "S-00001";
  const born = rep.begin("store", key);
  const first = rep.edit("store", key, [
    { field: "name", set: "Kedai Satu" },
    { field: "territory", set: "T1" },
  ]);
  await rep.pushed("store", key, concatBytes(born, first));
  const relay = openForReading(desk.dir);
  const live = openFollowers(desk.dir);
  const follow = (db: DatabaseSync) => {
    const streams = createStreams(relay);
    const packs = packsOf(relay);
    const masters = createRelayMasters({ relay, db, packs, workspace: desk.folder.workspace.id });
    const notes = createNoteQueue(db, relay);
    const followers = [createMasterRecords(relay, () => null)];
    const clock = clockAt(Date.now());
    const runner = createRunner({
      db,
      streams,
      followers,
      masters,
      notes,
      clock,
      zone: "Asia/Kuala_Lumpur",
      changed: () => undefined,
    });
    return () => {
      while (runner.turn());
      return db.prepare("select position, record from store_record where code = ? order by position").all(key);
    };
  };
  const look = follow(live);
  look();
  const edits: FieldEdit[] = [
    { field: "facings", key: "1047", set: 4 },
    { field: "lat", set: 3.1 },
    { field: "notes", at: 0, remove: 0, insert: "name lat status" },
    { field: "facings", key: "name", set: 2 },
    { field: "lon", set: 101.6 },
    { field: "status", set: "active" },
  ];
  for (const edit of edits) {
    await rep.pushed("store", key, rep.edit("store", key, [edit]));
    look();
  }
  const records = look();
  const told = records.map(({ record }) => {
    const { name, lat, lon, status } = JSON.parse(String(record)) as Record<string, unknown>;
    return [name, lat, lon, status];
  });
  assert.deepEqual(told, [
    // Its birth says only which store it is.
    [key, null, null, null],
    ["Kedai Satu", null, null, null],
    ["Kedai Satu", 3.1, null, null],
    ["Kedai Satu", 3.1, 101.6, null],
    ["Kedai Satu", 3.1, 101.6, "active"],
  ]);
  const anew = openFollowers(await newFolder());
  assert.deepEqual(follow(anew)(), records, "whoever reads the whole stream at once finds the same");
  for (const db of [live, anew, relay]) db.close();
  await desk.close();
});
