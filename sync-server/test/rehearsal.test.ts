import assert from "node:assert/strict";
import { test } from "node:test";
import { openForReading } from "../src/database/connection.ts";
import { newFolder, serveRelay } from "./relay-process.ts";

test("a relay plays contacts before it is ready, and leaves no trace of them in its folder", async () => {
  const dir = await newFolder();
  const relay = await serveRelay(dir);
  assert.equal(await relay.end("SIGTERM"), 0);
  assert.doesNotMatch(relay.log(), /rehears/, "it went through to its end");
  const db = openForReading(dir);
  const tables = db.prepare("select name from sqlite_master where type = 'table'").all();
  assert.ok(tables.length > 20);
  for (const { name } of tables) {
    const rows = db.prepare(`select * from "${String(name)}"`).all();
    assert.doesNotMatch(JSON.stringify(rows), /rehearsal/, String(name));
  }
  assert.equal(db.prepare("select count(*) as rows from contact").get()?.["rows"], 0);
  assert.equal(db.prepare("select count(*) as rows from trail where topic like '%refus%'").get()?.["rows"], 0);
  db.close();
});
