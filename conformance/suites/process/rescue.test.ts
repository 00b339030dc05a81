import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { exportLog } from "../../src/exported-log.ts";
import { factsOf, visitStore } from "../../src/field-day.ts";
import { startPhone, type PhoneProcess } from "../../src/phone-process.ts";
import { enrolmentCode, operate, startRelay, type RelayProcess } from "../../src/relay-process.ts";
import { until } from "../../src/until.ts";

let folder: string;
let dir: string;
let relay: RelayProcess;
let phone: PhoneProcess;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-rescue-test-"));
  dir = path.join(folder, "relay");
  relay = await startRelay(dir);
  const code = await enrolmentCode(dir, "R001", { name: "Rep R001", role: "rep" });
  phone = await startPhone({ dir: path.join(folder, "phone"), url: relay.url, code });
  await visitStore(phone, "S-0001");
});

after(async () => {
  await phone.kill();
  await relay.process.kill();
  await rm(folder, { recursive: true, force: true });
});

const fileOf = (name: string) => path.join(folder, name);
const importFile = async (name: string, at = dir) => operate("rescue", "import", fileOf(name), "--dir", at, "--json");
const events = async () => (await exportLog(dir)).filter(({ type }) => type === "event");

test("L46 a rescue file that was cut, altered, renamed or made for another workspace is refused with its code and moves nothing", async () => {
  await phone.ask("rescue", { file: fileOf("whole") });
  const whole = await readFile(fileOf("whole"));
  const flipped = (at: number) => {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] as number) ^ 1;
    return bytes;
  };
  const device = String((await phone.process.line((line) => line["event"] === "ready", 1_000))["device"]);
  const renamed = whole.toString("latin1").replace(device, "0123456789abcdef");
  const cases: readonly [string, Uint8Array, string][] = [
    ["cut", whole.subarray(0, whole.length - 1), "rescue.malformed"],
    ["empty", new Uint8Array(), "rescue.malformed"],
    ["altered", flipped(whole.length >> 1), "rescue.sealed"],
    ["altered at the end", flipped(whole.length - 1), "rescue.sealed"],
    ["renamed", Buffer.from(renamed, "latin1"), "rescue.sealed"],
  ];
  for (const [name, bytes, code] of cases) {
    await writeFile(fileOf(name), bytes);
    await assert.rejects(importFile(name), new RegExp(code), name);
  }
  const other = fileOf("other");
  await operate("enrol", "--dir", other, "--person", "R001", "--name", "Rep", "--role", "rep");
  await assert.rejects(importFile("whole", other), /rescue\.workspace/);
  assert.equal((await events()).length, 0);
});

test("L45 a phone's unsent queue is imported once, by a running relay or into its folder, also from a revoked device", async () => {
  const made = (await factsOf(phone)).length;
  await phone.ask("rescue", { file: fileOf("queue") });
  const placed = JSON.parse(await importFile("queue")) as { events: Record<string, number> };
  assert.deepEqual(placed.events, { placed: made, duplicate: 0, branch: 0, held: 0, quarantined: 0 });
  await relay.process.stop();
  const again = JSON.parse(await importFile("queue")) as { events: Record<string, number> };
  assert.deepEqual(again.events, { placed: 0, duplicate: made, branch: 0, held: 0, quarantined: 0 });
  relay = await startRelay(dir, relay.port);
  assert.equal((await events()).length, made);

  const device = String((await phone.process.line((line) => line["event"] === "ready", 1_000))["device"]);
  await operate("revoke", "--dir", dir, "--device", device);
  await phone.ask("go-online");
  await until("the revocation", async () => ((await phone.ask("status")) as { link: string }).link === "refused");
  await visitStore(phone, "S-0002");
  await phone.ask("rescue", { file: fileOf("revoked") });
  // Status 1: what is kept apart has no place yet.
  const apart = await importFile("revoked").catch((error: unknown) => (error as { stdout: string }).stdout);
  const report = JSON.parse(apart) as { events: Record<string, number> };
  assert.deepEqual([report.events["duplicate"], report.events["quarantined"]], [made, 3]);
  await operate("revoke", "--dir", dir, "--device", device, "--undo");
  assert.equal((await events()).length, made + 3);
  await operate("log", "verify", "--dir", dir);
});
