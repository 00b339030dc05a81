import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { before, test } from "node:test";
import { cp } from "node:fs/promises";
import { workspaceIn } from "../src/commands/open-for-reading.ts";
import { databaseFile } from "../src/database/connection.ts";
import { verifyLog } from "../src/order-log/verify.ts";
import { inviteRep, newFolder, sampai, serveRelay } from "./relay-process.ts";
import { enrolPhone } from "./wire-phone.ts";

let sound: string;

before(async () => {
  sound = await newFolder();
  const relay = await serveRelay(sound);
  const phone = await enrolPhone(relay.url, await inviteRep(sound));
  const talk = await phone.connect();
  const first = phone.events(6);
  await talk.ask(phone.appendMessage(1, first.slice(0, 2)));
  await talk.ask(phone.appendMessage(2, first.slice(2)));
  const [lost, kept] = phone.events(2, { after: first.at(-1) ?? null });
  assert.ok(lost && kept);
  await talk.ask(phone.appendMessage(3, [kept]));
  await talk.ask(phone.holeMessage(4, { run: lost.run, seq: lost.seq, hash: lost.hash }));
  talk.socket.close();
  assert.equal(await relay.end("SIGTERM"), 0);
});

/** The log and trail of a copy in which one row was changed. */
async function changed(change: string): Promise<{ dir: string; db: DatabaseSync }> {
  const dir = await newFolder();
  await cp(sound, dir, { recursive: true });
  const db = new DatabaseSync(databaseFile(dir));
  assert.equal(db.prepare(change).run().changes, 1, change);
  return { dir, db };
}

test("a sound log and trail verify", async () => {
  const { status, out, err } = await sampai("log", "verify", "--dir", sound);
  assert.equal(status, 0, out + err);
  assert.match(out, /order log: 9 rows, all as they were written/);
});

for (const [what, change, row] of [
  [
    "one flipped bit in an event's bytes",
    "update log set bytes = cast(replace(cast(bytes as text), 'S-0481', 'S-0480') as blob) where position = 3",
    3,
  ],
  ["a changed seq", "update log set seq = 9 where position = 4", 4],
  ["a missing row", "delete from log where position = 2", 2],
  ["a missing signature", "update log set signature = null where position = 6", 6],
  [
    "a signature of something else",
    "update log set signature = (select signature from log where position = 2) where position = 6",
    6,
  ],
  ["an event moved before the one it follows", "update log set position = 100 where position = 1", 1],
] as const) {
  test(`verify names the row with ${what}`, async () => {
    const { dir, db } = await changed(change);
    assert.equal(verifyLog(db, workspaceIn(dir), () => undefined)?.position, row);
    db.close();
  });
}

test("a device that numbers its events wrongly cannot make the log look damaged, and what is changed behind that is still named", async () => {
  const dir = await newFolder();
  const relay = await serveRelay(dir);
  const phone = await enrolPhone(relay.url, await inviteRep(dir));
  const talk = await phone.connect();
  const [first] = phone.events(1);
  assert.ok(first);
  const [skipping] = phone.events(1, { run: first.run, from: 3, after: first });
  const [elsewhere] = phone.events(1, { from: 2, after: first });
  const [again] = phone.events(1, { run: first.run, from: 1, after: first });
  assert.ok(skipping && elsewhere && again);
  for (const [n, event] of [first, skipping, elsewhere, again].entries()) {
    await talk.ask(phone.appendMessage(n, [event]));
  }
  talk.socket.close();
  assert.equal(await relay.end("SIGTERM"), 0);
  const db = new DatabaseSync(databaseFile(dir));
  assert.equal(
    verifyLog(db, workspaceIn(dir), () => undefined),
    null,
  );
  db.exec("update log set bytes = cast(replace(cast(bytes as text), 'S-0481', 'S-0480') as blob) where position = 4");
  assert.equal(verifyLog(db, workspaceIn(dir), () => undefined)?.position, 4);
  db.close();
});

test("verify goes on behind the first bad row, and says how many more there are", async () => {
  const { dir, db } = await changed("update log set seq = 9 where position = 2");
  db.exec("update log set bytes = cast(replace(cast(bytes as text), 'S-0481', 'S-0480') as blob) where position = 5");
  db.close();
  const { out } = await sampai("log", "verify", "--dir", dir);
  assert.match(out, /^order log: row 2 stands at another place than its bytes say; 2 more rows are not as written\.$/m);
});

test("the verify command names a trail row whose words were changed, and ends with status 1", async () => {
  const { dir, db } = await changed("update trail set detail = '{}' where position = 1");
  db.close();
  const { status, out } = await sampai("log", "verify", "--dir", dir);
  assert.equal(status, 1);
  assert.match(out, /trail: row 1 does not match its hash/);
});

test("a device that was given to somebody else than its certificate names is named", async () => {
  const { dir, db } = await changed("update device set person = 'R009'");
  db.close();
  const { status, out } = await sampai("verify", dir);
  assert.equal(status, 1);
  assert.match(out, /^devices: .* is not of the person and role that its certificate names\.$/m);
});

test("a row whose columns cannot be read is named by log and tree, and every other part is still walked", async () => {
  const { dir, db } = await changed("update log set flags = 'null' where position = 4");
  db.close();
  const { status, out } = await sampai("verify", dir);
  assert.equal(status, 1);
  assert.match(out, /^order log: row 4 cannot be read/m);
  assert.match(out, /^hash tree: row 4 cannot be read/m);
  assert.match(out, /^trail: \d+ rows, all as they were written/m);
});

test("a changed leaf is named by its row, although every tile above it has changed as well", async () => {
  const dir = await newFolder();
  const relay = await serveRelay(dir);
  const phone = await enrolPhone(relay.url, await inviteRep(dir));
  const talk = await phone.connect();
  const events = phone.events(600);
  for (let from = 0; from < events.length; from += 60) {
    await talk.ask(phone.appendMessage(from, events.slice(from, from + 60)));
  }
  talk.socket.close();
  assert.equal(await relay.end("SIGTERM"), 0);
  const db = new DatabaseSync(databaseFile(dir));
  // In the second tile, and full: the tile above holds its hash.
  db.exec("update log set received = '2020-01-01T00:00:00.000Z' where position = 300");
  db.close();
  const { status, out } = await sampai("verify", dir);
  assert.equal(status, 1);
  assert.match(out, /^hash tree: row 300 is not the leaf that tile\/0\/001 holds\.$/m);
});

test("export writes every row as a line of JSON, and tail shows the newest", async () => {
  const exported = await sampai("log", "export", "--dir", sound);
  const lines = exported.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { position: number; type: string });
  assert.deepEqual(
    lines.map(({ position }) => position),
    lines.map((_, index) => index),
  );
  assert.deepEqual(new Set(lines.map(({ type }) => type)), new Set(["start", "event", "hole"]));
  const tail = await sampai("log", "tail", "--dir", sound, "--count", "2");
  assert.equal(tail.status, 0);
  assert.match(tail.out, /next position 9/);
  assert.equal(tail.out.trimEnd().split("\n").length, 4);
});
