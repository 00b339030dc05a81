import { eventHash } from "@sampai/engine";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { startRepPhone, type RepPhone } from "../day/rep-phone.ts";
import { newFolder, sampai, serveRelay, type RelayProcess } from "../relay-process.ts";
import type { TestEvent } from "../wire-phone.ts";

let dir: string;
let relay: RelayProcess;
let phone: RepPhone;
let order: TestEvent;
let opaque: TestEvent;
let empty: TestEvent;
let key: string;

before(async () => {
  dir = await newFolder();
  relay = await serveRelay(dir);
  phone = await startRepPhone(relay.url, dir, "R001");
  [order] = phone.capture(1) as [TestEvent];
  opaque = following(order, Buffer.from("these bytes are no event"));
  empty = following(opaque, Buffer.alloc(0));
  await phone.send(order, opaque, empty);
  key = (await sampai("log", "key", "--dir", dir)).out.trim();
});
after(() => relay.end("SIGTERM"));

/** An event whose bytes are what they are, at its place in the phone's chain. */
function following({ run, seq, hash }: TestEvent, bytes: Uint8Array<ArrayBuffer>): TestEvent {
  return { run, seq: seq + 1, prev: hash, bytes, hash: eventHash(bytes), id: "" };
}

/** A checkpoint follows within a second; the answer until then says so. */
async function proved(...words: string[]): Promise<string> {
  for (;;) {
    const { status, out, err } = await sampai("log", "prove", ...words, "--dir", dir);
    if (status === 0) return out;
    assert.match(err, /log\.uncovered/);
  }
}

async function checked(text: string, ...words: string[]) {
  const file = path.join(dir, "receipt");
  await writeFile(file, text);
  return sampai("log", "check", file, "--key", key, ...words);
}

const rows = async () =>
  (await sampai("log", "tail", "--dir", dir)).out.split("\n").map((line) => line.trim().split(/ {2,}/));

test("every event has a receipt, by offline id, by hash and by position, also one whose bytes nobody can read", async () => {
  const byId = await proved(order.id);
  assert.equal(await proved(order.hash), byId);
  const shown = (await rows()).find((cells) => cells.includes(opaque.hash));
  assert.ok(shown, "log tail shows the hash that it can be proved by");
  const byHash = await proved(opaque.hash);
  for (const position of [shown[0] as string, `#${shown[0]}`]) assert.equal(await proved(position), byHash);
  const { status, out } = await checked(byHash);
  assert.equal(status, 0);
  assert.ok(out.includes(`SHA-256 of its bytes: ${opaque.hash}`));
  for (const name of ["999", "#07", "f".repeat(64), "01936a5e-0000-7000-8000-000000000001"]) {
    const unknown = await sampai("log", "prove", name, "--dir", dir);
    assert.deepEqual([unknown.status, unknown.out], [1, ""], name);
    assert.match(unknown.err, /^log\.unknown: Nothing in the log has that offline id, hash or position\./);
  }
});

test("an event without bytes is unreadable, and not expired, where no decision has removed them", async () => {
  const shown = (await rows()).find((cells) => cells.includes(empty.hash));
  assert.ok(shown?.includes("unreadable"), String(shown));
});

test("a checked receipt tells the flags of the event, and that there are none", async () => {
  assert.match((await checked(await proved(opaque.hash))).out, /^Flags: opaque\.$/m);
  assert.match((await checked(await proved(order.id))).out, /^No flags\.$/m);
});

test("the stored bytes of an event come with its receipt on demand, and are compared with it", async () => {
  const file = path.join(dir, "event");
  const receipt = await proved(order.id, "--event", file);
  const sum = createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
  assert.equal(sum, order.hash);
  const same = await checked(receipt, "--event", file);
  assert.equal(same.status, 0, same.err);
  assert.ok(same.out.includes(`These are its bytes. Offline id: ${order.id}.`));
  const other = await checked(await proved(opaque.hash), "--event", file);
  assert.equal(other.status, 1);
  assert.match(other.err, /not the receipt's bytes/);
  const again = await sampai("log", "prove", order.id, "--dir", dir, "--event", file);
  assert.equal(again.status, 2);
  assert.match(again.err, /event is there already\./);
});

test("a receipt is written in one way: nothing behind its note, no other numeral, no other base64", async () => {
  const receipt = `${(await proved(order.id)).trimEnd()}\n`;
  assert.equal((await checked(receipt)).status, 0);
  const changes = {
    "a word behind the note": `${receipt}more\n`,
    "a line without an end": receipt.trimEnd(),
    "an empty line behind the note": `${receipt}\n`,
    "a paragraph behind the note": `${receipt}\nmore\n`,
    "zeros before the index": receipt.replace(/index (\d+)/, "index 0$1"),
    "a space in the index": receipt.replace(/index (\d+)/, "index  $1"),
    "base64 without its padding": receipt.replace(/^(extra [^=\n]*)=+$/m, "$1"),
    "bits behind the base64": receipt.replace(/[A-Za-z0-9+/](=+)\n\n/, "/$1\n\n"),
  };
  for (const [change, text] of Object.entries(changes)) {
    if (text === receipt) assert.match(change, /padding/, "only a record's length may leave nothing to change");
    else assert.equal((await checked(text)).status, 1, change);
  }
});

test("a file that is too large for a receipt is not read to its end", async () => {
  const { status, err } = await checked("x".repeat(65_537));
  assert.equal(status, 2);
  assert.match(err, /is larger than 65536 bytes: it is not what it is taken for\./);
});

test("an unknown device, one that is revoked already and one that is not revoked are told apart, with a relay at work and without", async () => {
  const revoke = async (device: string, ...more: string[]) => {
    const { status, err } = await sampai("revoke", "--dir", dir, "--device", device, ...more);
    return `${status} ${err.split(":")[0]}`;
  };
  const { device } = phone.wire;
  const answers = async () => [
    await revoke("nobody"),
    await revoke("nobody", "--undo"),
    await revoke(device, "--undo"),
    await revoke(device),
    await revoke(device),
    await revoke(device, "--undo"),
  ];
  const told = ["1 device.unknown", "1 device.unknown", "1 device.active", "0 ", "1 device.revoked", "0 "];
  assert.deepEqual(await answers(), told);
  await relay.end("SIGTERM");
  assert.deepEqual(await answers(), told);
  relay = await serveRelay(dir);
});
