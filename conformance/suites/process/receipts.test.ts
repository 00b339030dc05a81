import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { openHq } from "../../src/hq-client.ts";
import { RawWriter, type RawEvent } from "../../src/raw-writer.ts";
import { enrolmentCode, operate, startRelay, type RelayProcess } from "../../src/relay-process.ts";
import { checkReceipt } from "../../src/transparency-log.ts";

let folder: string;
let dir: string;
let relay: RelayProcess;
let writer: RawWriter;
let orders: RawEvent[];
let key: string;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-receipts-"));
  dir = path.join(folder, "relay");
  relay = await startRelay(dir);
  writer = await RawWriter.enrol(relay.url, await enrolmentCode(dir, "R001", { name: "Writer", role: "rep" }));
  await writer.connect();
  orders = writer.makeOrders(300);
  for (let at = 0; at < orders.length; at += 10) assert.ok(await writer.append(orders.slice(at, at + 10)));
  key = (await operate("log", "key", "--dir", dir)).trim();
});

after(async () => {
  writer.close();
  await relay.process.stop();
  await rm(folder, { recursive: true, force: true });
});

const idOf = (event: RawEvent) => (JSON.parse(new TextDecoder().decode(event.bytes)) as { id: string }).id;

/** A checkpoint follows within a second; the answer until then says so. */
async function proved(id: string): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await operate("log", "prove", id, "--dir", dir);
    } catch (error) {
      if (tries > 20 || !String((error as { stderr?: string }).stderr).includes("log.uncovered")) throw error;
    }
  }
}

test("L20 a receipt is verified by code that shares nothing with the relay, from the published specs", async () => {
  for (const event of [orders[0], orders[150], orders[299]] as RawEvent[]) {
    const checked = checkReceipt(await proved(idOf(event)), key);
    assert.ok(checked.record.includes(event.hash));
    assert.equal(checked.index, BigInt(writer.acknowledged.get(event.hash) as number));
  }
});

test("L21 a receipt whose record, place or checkpoint was changed is refused by both verifiers", async () => {
  const receipt = await proved(idOf(orders[7] as RawEvent));
  const lines = receipt.split("\n");
  const forged = Buffer.from(
    Buffer.from((lines[1] as string).slice(6), "base64")
      .toString()
      .replace("event", "evenT"),
  );
  const changes = [
    [lines[0], `extra ${forged.toString("base64")}`, ...lines.slice(2)].join("\n"),
    receipt.replace(/index \d+/, "index 3"),
    receipt.replace(/index (\d+)/, "index 0$1"),
    `${receipt}and more\n`,
    receipt.replace(
      /\n\n(.*)\n(\d+)\n/,
      (_all, origin: string, size: string) => `\n\n${origin}\n${Number(size) + 1}\n`,
    ),
  ];
  for (const [number, changed] of changes.entries()) {
    assert.throws(() => checkReceipt(changed, key));
    const file = path.join(folder, `changed-${number}`);
    await writeFile(file, changed);
    await assert.rejects(operate("log", "check", file, "--key", key), /proves nothing/);
  }
});

test("L22 `log check` needs nothing but the receipt and the public key", async () => {
  const file = path.join(folder, "receipt");
  await proved(idOf(orders[42] as RawEvent));
  const proving = (out: string) => operate("log", "prove", idOf(orders[42] as RawEvent), "--dir", dir, "--out", out);
  await proving(file);
  await assert.rejects(proving(file), /is there already/);
  await assert.rejects(proving(path.join(file, "below")), /cannot be made or written \(ENOTDIR\)/);
  assert.match(
    await operate("log", "check", file, "--key", key),
    /The receipt is sound: position \d+ of sampai\.log\//,
  );
  const stranger = key.replace(/.{8}$/, "AAAAAAAA");
  await assert.rejects(operate("log", "check", file, "--key", stranger), /--key/);
  assert.match(await readFile(file, "utf8"), /^c2sp\.org\/tlog-proof@v1\n/);
});

test("L23 headquarters reads checkpoint and tiles as tlog-tiles lays them out", async () => {
  const hq = await openHq(relay.url, await enrolmentCode(dir, "H001", { name: "Auditor", role: "hq" }));
  await proved(idOf(orders[299] as RawEvent));
  const note = new TextDecoder().decode(await hq.bytes("/v1/log/checkpoint"));
  const size = Number(note.split("\n")[1]);
  assert.ok(size >= 301);
  assert.equal((await hq.bytes("/v1/log/tile/0/000")).length, 256 * 32);
  assert.equal((await hq.bytes("/v1/log/tile/1/000.p/1")).length, 32);
  const entries = await hq.bytes("/v1/log/tile/entries/000");
  let count = 0;
  for (let at = 0; at < entries.length; at += 2 + (((entries[at] as number) << 8) | (entries[at + 1] as number)))
    count += 1;
  assert.equal(count, 256);
  await assert.rejects(hq.bytes("/v1/log/tile/0/999"), /404/);
});
