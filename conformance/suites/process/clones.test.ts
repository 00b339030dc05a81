import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { exportLog, type LogRow } from "../../src/exported-log.ts";
import { factsOf, visitStore } from "../../src/field-day.ts";
import { startPhone, type PhoneProcess } from "../../src/phone-process.ts";
import { RawWriter } from "../../src/raw-writer.ts";
import { enrolmentCode, operate, startRelay, type RelayProcess } from "../../src/relay-process.ts";
import { until } from "../../src/until.ts";

interface RunRow {
  readonly run: string;
  readonly events: number;
  readonly fork: boolean;
  readonly branches: readonly number[];
}

let folder: string;
let dir: string;
let relay: RelayProcess;
const phones: PhoneProcess[] = [];

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-clones-"));
  dir = path.join(folder, "relay");
  relay = await startRelay(dir);
});

after(async () => {
  for (const phone of phones) await phone.kill();
  await relay.process.stop();
  await rm(folder, { recursive: true, force: true });
});

async function phoneAt(name: string, code: string): Promise<PhoneProcess> {
  const phone = await startPhone({ dir: path.join(folder, name), url: relay.url, code });
  phones.push(phone);
  return phone;
}

const codeFor = (person: string) => enrolmentCode(dir, person, { name: `Rep ${person}`, role: "rep" });

async function drained(phone: PhoneProcess): Promise<void> {
  await phone.ask("go-online");
  await phone.ask("drain", { lanes: ["facts"] });
}

async function deviceOf(phone: PhoneProcess): Promise<string> {
  return String((await phone.process.line((line) => line["event"] === "ready", 1_000))["device"]);
}

async function rowsOf(device: string): Promise<LogRow[]> {
  return (await exportLog(dir)).filter((row) => row.type === "event" && row.device === device);
}

const runsOf = async (device: string) =>
  JSON.parse(await operate("device", "runs", device, "--dir", dir, "--json")) as RunRow[];

test("L40 a copied phone never gives a number twice: both go on in runs of their own, both are kept, and the log marks where they part", async () => {
  const first = await phoneAt("first", await codeFor("R001"));
  await visitStore(first, "S-0001");
  await drained(first);
  await first.quit();
  await cp(path.join(folder, "first"), path.join(folder, "copy"), { recursive: true });

  const one = await phoneAt("first", "");
  const other = await phoneAt("copy", "");
  await visitStore(one, "S-0002");
  await visitStore(other, "S-0003");
  await drained(one);
  await one.ask("go-offline");
  await drained(other);
  await other.ask("go-offline");

  const device = await deviceOf(one);
  const rows = await rowsOf(device);
  assert.equal(rows.length, 9);
  assert.equal(new Set(rows.map(({ run, seq }) => `${run}/${seq}`)).size, 9, "a number was given twice");
  assert.deepEqual(
    rows.filter(({ flags }) => flags.includes("fork")).map(({ seq }) => seq),
    [1],
  );
  const runs = await runsOf(device);
  assert.deepEqual(
    runs.map(({ events, fork }) => [events, fork]),
    [
      [3, false],
      [3, false],
      [3, true],
    ],
  );
  assert.match(await operate("log", "tail", "--dir", dir), /\bfork\b/);

  await one.ask("go-online");
  await until("the copy's events in the first phone's custody", async () => (await factsOf(one)).length === 9);
});

test("L41 a live copy that numbers as the phone does is placed as a branch, and the phone goes on in a new run", async () => {
  const phone = await phoneAt("cloned", await codeFor("R002"));
  await visitStore(phone, "S-0001");
  await drained(phone);
  await phone.ask("go-offline");
  const last = (await factsOf(phone)).at(-1);
  assert.ok(last !== undefined);
  const { run, seq } = last.envelope;
  const identity = JSON.parse(await readFile(path.join(folder, "cloned", "identity.json"), "utf8")) as {
    token: string;
    secretKey: string;
    certificate: string;
    certificateSignature: string;
  };
  const clone = RawWriter.cloneOf(relay.url, identity, { run, seq, hash: last.hash });
  await clone.connect();
  assert.ok(await clone.append(clone.makeOrders(1)));
  clone.close();

  await visitStore(phone, "S-0002");
  await drained(phone);
  const { order } = await visitStore(phone, "S-0003");
  await drained(phone);
  const device = await deviceOf(phone);
  const rows = await rowsOf(device);
  const twice = rows.filter((row) => row.run === run && row.seq === seq + 1);
  assert.equal(twice.length, 2, "both are kept");
  assert.deepEqual(
    twice.map(({ flags }) => flags.includes("branch")),
    [false, true],
  );
  // Looked up by its id: what the copy wrote comes back into this phone's custody, whenever it comes.
  const later = (await factsOf(phone)).find(({ envelope }) => envelope.id === order);
  assert.ok(later !== undefined);
  assert.notEqual(later.envelope.run, run, "the phone still numbers in the run that parts");
  assert.deepEqual((await runsOf(device))[0]?.branches.includes(seq + 1), true);
  assert.match(await operate("log", "tail", "--dir", dir), /\bbranch\b/);
});
