import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { databaseFile } from "../../src/database/connection.ts";
import { openDataFolder } from "../../src/data-folder.ts";
import { newFolder } from "../relay-process.ts";

const open = (dir: string) =>
  openDataFolder({ dir, zone: "Asia/Kuala_Lumpur", databaseBytes: null }, assert.fail, false);

test("a file that is no database stops the start with a sentence, and is left as it is", async () => {
  const dir = await newFolder();
  await (await open(dir)).close();
  writeFileSync(databaseFile(dir), Buffer.alloc(8_192, 7));
  await assert.rejects(open(dir), { code: "database.damaged", message: /damaged.*restore a backup/ });
  assert.ok(readFileSync(databaseFile(dir)).equals(Buffer.alloc(8_192, 7)));
});

test("a lock that is no database is not taken for another relay", async () => {
  const dir = await newFolder();
  writeFileSync(path.join(dir, "lock.sqlite"), Buffer.alloc(8_192, 7));
  await assert.rejects(open(dir), { code: "folder.unusable" });
});

test("what the last run wrote is settled before anything is answered: a program that reads it meanwhile is named", async () => {
  const dir = await newFolder();
  await (await open(dir)).close();
  const [reader, killed] = [new DatabaseSync(databaseFile(dir)), new DatabaseSync(databaseFile(dir))];
  reader.exec("begin; select * from log");
  killed.exec("insert into log_workspace (id) values ('unsettled'); delete from log_workspace where id = 'unsettled'");
  killed.close();
  await assert.rejects(open(dir), { code: "database.busy" });
  reader.close();
  await (await open(dir)).close();
});
