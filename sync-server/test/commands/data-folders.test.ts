import { encodeFrame } from "@sampai/engine/wire";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { databaseFile } from "../../src/database/connection.ts";
import { lockFolder } from "../../src/database/lock.ts";
import { commandLine, inviteRep, newFolder, sampai } from "../relay-process.ts";

let base: string;
/** A data folder with a workspace, a person and no relay. Tests copy it. */
let whole: string;

before(async () => {
  base = await newFolder();
  whole = path.join(base, "whole");
  await inviteRep(whole);
});

async function copyOf(name: string): Promise<string> {
  const dir = path.join(base, name);
  await cp(whole, dir, { recursive: true });
  return dir;
}

const oneSentence = (err: string) => assert.doesNotMatch(err, /\n\s+at |Error:/, err);

/** Each as it is typed, with `--dir` behind it. */
const needsAFolder: readonly (readonly string[])[] = [
  ["enrol", "--person", "R001"],
  ["revoke", "--device", "0123"],
  ["person", "export", "R001", "--out", "out"],
  ["person", "forget", "R001", "--reason", "left"],
  ["day", "--rep", "R001"],
  ["store", "explain", "S-0001", "name"],
  ["store", "bury", "S-0001"],
  ["documents", "import", "--nodefs", import.meta.dirname],
  ["log", "tail"],
  ["log", "export"],
  ["log", "verify"],
  ["log", "expire", "--before", "2025-01-01", "--reason", "old"],
  ["log", "sweep"],
  ["log", "prove", "x"],
  ["log", "key"],
  ["term", "list"],
  ["backup", "verified", "--at", "0"],
  ["rescue", "import", import.meta.filename],
  ["trail", "x"],
];

for (const [words, place] of needsAFolder.map(
  (words, index) => [words, index % 2 === 0 ? "missing" : "empty"] as const,
)) {
  test(`${words.join(" ")} on a folder that is ${place} says so and makes nothing there`, async () => {
    const dir = path.join(base, `${place} ${words.slice(0, 2).join(" ")}`);
    if (place === "empty") await mkdir(dir);
    const { status, err } = await sampai(...words, "--dir", dir);
    assert.equal(status, 2, err);
    assert.match(err, /holds no relay's data\./);
    oneSentence(err);
    assert.deepEqual(existsSync(dir) ? await readdir(dir) : null, place === "empty" ? [] : null);
  });
}

test("where workspace.json is lost or unreadable, no command makes a new key over the data, and each says so", async () => {
  const dir = await copyOf("lost key");
  const file = path.join(dir, "workspace.json");
  const commands = [["serve"], ["log", "key"], ["day", "--rep", "R001"], ["log", "verify"], ["log", "sweep"]];
  const states = [null, "{", '{"v":1}'] as const;
  for (const [index, words] of [...commands, ["enrol", "--person", "R2", "--name", "N", "--role", "rep"]].entries()) {
    const text = states[index % states.length] ?? null;
    await (text === null ? rm(file, { force: true }) : writeFile(file, text));
    const { status, err } = await sampai(...words, "--dir", dir);
    assert.equal(status, 2, err);
    assert.match(err, text === null ? /^workspace\.missing: / : /^workspace\.unreadable: /);
    oneSentence(err);
    assert.equal(existsSync(file) ? await readFile(file, "utf8") : null, text);
  }
});

/** Runs a command as somebody who may read and not write: root may write wherever a mode forbids it. */
async function asReader(...words: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn(process.execPath, [commandLine, ...words], nobody);
  let [out, err] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (err += text.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, out, err };
}

const sealed: string[] = [];
// What nobody may write in, only root could remove.
after(() => Promise.all(sealed.map((dir) => chmod(dir, 0o755))));

/** Everybody may read the folder, and nobody write in it. */
async function seal(dir: string): Promise<void> {
  for (const name of await readdir(dir)) await chmod(path.join(dir, name), 0o444);
  await chmod(dir, 0o555);
  sealed.push(dir);
  // The reader of `asReader` is somebody else where root runs the tests, and their folders are their owner's alone.
  if (process.getuid?.() !== 0) return;
  for (let above = path.dirname(dir); above !== path.dirname(above); above = path.dirname(above)) {
    const { mode } = await stat(above);
    if ((mode & 0o001) === 0) await chmod(above, mode | 0o011);
  }
}

test("a sound copy where nothing can be written is found sound, and read", async () => {
  const dir = await copyOf("evidence");
  await seal(dir);
  const { status, out, err } = await asReader("verify", dir);
  assert.equal(status, 0, out + err);
  assert.doesNotMatch(out, /damaged/);
  for (const words of [
    ["log", "tail"],
    ["log", "export"],
    ["term", "list"],
  ]) {
    assert.equal((await asReader(...words, "--dir", dir)).status, 0, words.join(" "));
  }
  assert.match((await asReader("day", "--rep", "R001", "--dir", dir)).out, /^R001, /);
});

test("a copy that cannot be written, with rows in a WAL beside it, is not read without them: it is to be copied first", async () => {
  const dir = await copyOf("unsettled");
  await writeFile(`${databaseFile(dir)}-wal`, Buffer.alloc(4_096));
  await seal(dir);
  for (const words of [
    ["verify", dir],
    ["log", "tail", "--dir", dir],
  ]) {
    const { status, out, err } = await asReader(...words);
    assert.equal(status, 2, out);
    assert.match(err, /^database\.unsettled: .*Copy the whole folder/);
    oneSentence(err);
  }
});

const reads = [
  ["log", "tail"],
  ["log", "export"],
  ["day", "--rep", "R001"],
  ["term", "list"],
  ["log", "prove", "x"],
  ["trail", "x"],
  ["person", "export", "R001", "--out", "out"],
  ["enrol", "--person", "R001"],
] as const;
const damages: readonly [string, (file: string) => Promise<void>, readonly (readonly string[])[]][] = [
  ["empty", (file) => writeFile(file, ""), [reads[0], reads[4], reads[7]]],
  ["garbage", (file) => writeFile(file, Buffer.alloc(20_000, 7)), reads],
  ["cut", (file) => truncate(file, 40_960), [reads[1], reads[2], reads[5]]],
];
for (const [damage, damageIt, commands] of damages) {
  test(`a database that is ${damage} is told in a sentence that names sampai verify and a backup`, async () => {
    const dir = await copyOf(`database ${damage}`);
    await damageIt(databaseFile(dir));
    for (const words of commands) {
      const { status, err } = await sampai(...words, "--dir", dir);
      assert.equal(status, 2, words.join(" "));
      assert.match(err, /^database\.damaged: .*sampai verify.*restore a backup/);
      oneSentence(err);
    }
    assert.equal((await sampai("verify", dir)).status, 1);
  });
}

test("a folder that may not be read is not said to hold nothing", async () => {
  const dir = await copyOf("forbidden");
  await seal(dir);
  await chmod(dir, 0o000);
  const { status, err } = await asReader("log", "tail", "--dir", dir);
  assert.equal(status, 2, err);
  assert.match(err, /cannot be read: EACCES/);
});

test("an --out that is there already, or cannot be made, is told in a sentence", async () => {
  const file = path.join(base, "a file");
  await writeFile(file, "");
  for (const [out, says] of [
    [file, /is no folder/],
    [path.join(file, "below"), /cannot be made/],
  ] as const) {
    const { status, err } = await sampai("person", "export", "R001", "--out", out, "--dir", whole);
    assert.equal(status, 2, err);
    assert.match(err, says);
    oneSentence(err);
  }
});

const rowsOf = async (dir: string) => (await sampai("log", "export", "--dir", dir)).out;

test("a rescue file that is refused leaves the log as it was: no life of it begins", async () => {
  const file = path.join(base, "q.rescue");
  const other = { sampai: "rescue", v: 1, workspace: "w-other", device: "0123456789abcdef" };
  const sealed = { ephemeral: new Uint8Array(32), nonce: new Uint8Array(24), sealed: new Uint8Array(64) };
  await writeFile(file, encodeFrame({ ...other, ...sealed }));
  const dir = await copyOf("rescue");
  const bytes = await readFile(databaseFile(dir));
  for (const time of ["first", "second"]) {
    const { status, err } = await sampai("rescue", "import", file, "--dir", dir);
    assert.equal(status, 1, time);
    assert.match(err, /^rescue\.workspace: /);
  }
  assert.equal(await rowsOf(dir), await rowsOf(whole));
  assert.ok(bytes.equals(await readFile(databaseFile(dir))));
});

const leaveRunning = (dir: string, url: string) =>
  writeFile(path.join(dir, "relay.json"), JSON.stringify({ pid: process.pid, url, operatorKey: "k" }));

test("a relay.json that a killed relay left is not believed, though its process id lives: the folder's lock decides", async () => {
  const dir = await copyOf("stale");
  for (const [words, status] of [
    [["trail", "x"], 1],
    [["enrol", "--person", "R001"], 0],
    [["person", "forget", "R999", "--reason", "left"], 1],
  ] as const) {
    await leaveRunning(dir, "http://127.0.0.1:1");
    const done = await sampai(...words, "--dir", dir);
    assert.equal(done.status, status, done.err);
    oneSentence(done.err);
  }
});

test("a relay that holds the folder and does not answer is told in a sentence, and not waited for without end", async () => {
  const dir = await copyOf("silent");
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  const unlock = lockFolder(dir);
  try {
    for (const port of [(server.address() as AddressInfo).port, 1]) {
      await leaveRunning(dir, `http://127.0.0.1:${port}`);
      const { status, err } = await sampai("enrol", "--person", "R001", "--dir", dir);
      assert.equal(status, 2, err);
      assert.match(err, /^relay\.silent: .*does not answer/);
      oneSentence(err);
    }
  } finally {
    unlock();
    server.closeAllConnections();
    server.close();
  }
});

test("an address that is not this machine's, and a head file that cannot be made, are named as what they are", async () => {
  const dir = await copyOf("serve");
  const address = await sampai("serve", "--dir", dir, "--host", "192.0.2.1");
  assert.equal(address.status, 2);
  assert.match(address.err, /^address\.unusable: /);
  for (const head of [path.join(base, "missing", "x.head"), path.join(databaseFile(dir), "x.head")]) {
    const { status, err } = await sampai("serve", "--dir", dir, "--head-file", head);
    assert.equal(status, 2, err);
    assert.match(err, /^head\.unusable: /);
    oneSentence(err);
  }
});
