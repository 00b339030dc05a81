import assert from "node:assert/strict";
import { cp, rm, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { before, test } from "node:test";
import { workspaceIn } from "../src/commands/open-for-reading.ts";
import { databaseFile } from "../src/database/connection.ts";
import { defaultHeadFile } from "../src/database/head-file.ts";
import { verifyTree } from "../src/proof/verify.ts";
import { inviteRep, newFolder, sampai, serveRelay } from "./relay-process.ts";
import { enrolPhone } from "./wire-phone.ts";

let sound: string;

before(async () => {
  sound = await newFolder();
  const relay = await serveRelay(sound);
  const phone = await enrolPhone(relay.url, await inviteRep(sound));
  const talk = await phone.connect();
  await talk.ask(phone.appendMessage(1, phone.events(40)));
  talk.socket.close();
  assert.equal(await relay.end("SIGTERM"), 0);
});

/** A copy of the folder with its head file, and then something of it is gone. */
async function without(change: string): Promise<string> {
  const dir = await newFolder();
  await cp(sound, dir, { recursive: true });
  await cp(defaultHeadFile(sound), defaultHeadFile(dir));
  const db = new DatabaseSync(databaseFile(dir));
  db.exec(change);
  db.close();
  return dir;
}

test("a folder that has everything that its head file noted is sound", async () => {
  const { status, out } = await sampai("verify", sound);
  assert.equal(status, 0, out);
  assert.match(out, /^head file: everything that it noted is here: 41 rows of the order log\.$/m);
});

for (const [what, change, says] of [
  ["the newest rows of the log", "delete from log where position >= 30", /Missing are 11 of 41 rows of the order log/],
  [
    "the newest rows of the trail",
    "delete from trail where position > (select max(position) - 2 from trail)",
    /2 of \d+ rows of the trail/,
  ],
] as const) {
  test(`verify says that ${what} are gone, which nothing inside the folder can tell`, async () => {
    const { status, out } = await sampai("verify", await without(change));
    assert.equal(status, 1, out);
    assert.match(out, says);
  });
}

test("verify says where there is no head file, where it cannot be read, and takes another one", async () => {
  const dir = await without("delete from checkpoint where size < 0");
  await rm(defaultHeadFile(dir));
  const none = await sampai("verify", dir);
  assert.equal(none.status, 0, none.out);
  assert.match(none.out, /^head file: none at .*: whether the newest rows are missing cannot be told\.$/m);
  await writeFile(defaultHeadFile(dir), "not a head file");
  const unreadable = await sampai("verify", dir);
  assert.equal(unreadable.status, 1);
  assert.match(unreadable.out, /^head file: /m);
  const other = await sampai("verify", dir, "--head-file", defaultHeadFile(sound));
  assert.equal(other.status, 0, other.out);
  assert.equal((await sampai("verify", dir, sound, "--head-file", defaultHeadFile(sound))).status, 2);
});

test("a checkpoint that is gone is missed, because the tree's tiles go further", async () => {
  const { status, out } = await sampai("verify", await without("delete from checkpoint"));
  assert.equal(status, 1);
  assert.match(out, /^hash tree: checkpoint 41 is missing: the tree's tiles hold as many leaves\.$/m);
});

test("a tree that a relay goes on growing while it is walked is sound", async () => {
  const dir = await without("delete from checkpoint where size < 0");
  const db = new DatabaseSync(databaseFile(dir));
  const { hashes } = db.prepare("select hashes from tile where level = 0").get() as { hashes: Uint8Array };
  const longer = Buffer.concat([hashes, Buffer.alloc(32)]);
  const grow = () => void db.prepare("update tile set hashes = ? where level = 0").run(longer);
  assert.equal(verifyTree(db, workspaceIn(dir), grow), null);
  db.close();
});

test("a photo that arrived by the trail and is not stored is named", async () => {
  const arrived = await without("delete from checkpoint where size < 0");
  const db = new DatabaseSync(databaseFile(arrived));
  db.exec(`insert into trail (position, at, log_head, topic, device, item, detail, hash)
             select max(position) + 1, '', 0, 'photo.arrived', 'd', 'p1', '{"part":"original"}', '' from trail`);
  db.close();
  const { status, out } = await sampai("verify", arrived);
  assert.equal(status, 1);
  assert.match(out, /^photos: p1 \(original\) arrived by the trail and is not stored\.$/m);
});

test("a relay that starts on a folder whose end was cut off says so, and one without a head file too", async () => {
  const cut = await serveRelay(
    await without("delete from log where position >= 30; delete from tip; delete from trail where position > 20"),
  );
  assert.match(cut.log(), /"noted":41,"found":30,.*older copy, or its end was cut off/);
  await cut.end("SIGTERM");
  const dir = await without("delete from checkpoint where size < 0");
  await rm(defaultHeadFile(dir));
  const headless = await serveRelay(dir);
  assert.match(headless.log(), /there is no head file/);
  await headless.end("SIGTERM");
  const usual = await serveRelay(dir);
  assert.doesNotMatch(usual.log(), /"level":40/);
  await usual.end("SIGTERM");
});
