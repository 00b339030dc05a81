import { applyDelta } from "fossil-delta";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { startPhone, type PhoneProcess } from "../../src/phone-process.ts";
import { RawWriter } from "../../src/raw-writer.ts";
import { enrolmentCode, operate, ROOT, startRelay, type RelayProcess } from "../../src/relay-process.ts";
import { forgePack } from "../../src/tampering.ts";
import { until } from "../../src/until.ts";

let folder: string;
let dir: string;
let csv: string;
let relay: RelayProcess;
let device: RawWriter;
let phone: PhoneProcess;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-packs-"));
  dir = path.join(folder, "relay");
  csv = path.join(folder, "csv");
  await cp(path.join(ROOT, "sync-server/demo"), csv, { recursive: true });
  await operate("import", csv, "--dir", dir);
  relay = await startRelay(dir);
  device = await RawWriter.enrol(relay.url, await enrolmentCode(dir, "R001"));
  const code = await enrolmentCode(dir, "R002");
  phone = await startPhone({ dir: path.join(folder, "phone"), url: relay.url, code });
  await phone.ask("go-online");
  await until("the first pack", async () => (await packOnPhone()) === 1);
});
after(async () => {
  await phone.quit();
  await relay.process.stop();
  await rm(folder, { recursive: true, force: true });
});

const packOnPhone = async () => ((await phone.ask("pack")) as { number: number } | null)?.number;
const get = (number: number, headers: Record<string, string> = {}) =>
  fetch(`${relay.url}/v1/packs/${number}`, { headers: { authorization: device.authorization, ...headers } });
const bytesOf = async (answer: Response) => new Uint8Array(await answer.arrayBuffer());
const hashOf = (bytes: Uint8Array) => `"${createHash("sha256").update(bytes).digest("hex")}"`;

test("D70 A device that names the pack it holds gets what differs, which makes the next pack to the byte; who names none gets it whole", async () => {
  const held = await bytesOf(await get(1));
  const goods = path.join(csv, "goods.csv");
  await writeFile(goods, (await readFile(goods, "utf8")).replace(",8.69,no", ",8.99,no"));
  await operate("import", csv, "--dir", dir);
  await until("the next pack on a phone", async () => (await packOnPhone()) === 2);
  const whole = await get(2);
  const bytes = await bytesOf(whole);
  assert.deepEqual([whole.status, whole.headers.get("etag")], [200, hashOf(bytes)]);
  const answer = await get(2, { "if-none-match": hashOf(held), "a-im": "fossil-delta" });
  assert.deepEqual(
    [answer.status, answer.headers.get("im"), answer.headers.get("delta-base")],
    [226, "fossil-delta", hashOf(held)],
  );
  assert.equal(answer.headers.get("etag"), hashOf(bytes));
  assert.equal(answer.headers.get("sampai-signature"), whole.headers.get("sampai-signature"));
  const delta = await bytesOf(answer);
  assert.ok(delta.length * 100 < bytes.length);
  assert.deepEqual(applyDelta(held, delta), bytes);
  assert.deepEqual(await bytesOf(await get(1)), held, "what events pin stays");
});

test("D71 A pack that the root key did not sign is refused by the phone with pack.signature, and the one in force stays", async () => {
  await phone.ask("go-offline");
  await relay.process.stop();
  const forged = forgePack(dir);
  relay = await startRelay(dir, relay.port);
  await phone.ask("go-online");
  await until("the refusal", async () => {
    const attempts = (await phone.ask("attempts")) as { item: string; code?: string }[];
    return attempts.some(({ item, code }) => item === `pack/${forged}` && code === "pack.signature");
  });
  assert.equal(await packOnPhone(), 2);
});
