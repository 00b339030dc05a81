import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { openHq, type HqClient } from "../../src/hq-client.ts";
import { RawWriter, type RawEvent } from "../../src/raw-writer.ts";
import { enrolmentCode, operate, startRelay, type RelayProcess } from "../../src/relay-process.ts";
import { checkReceipt } from "../../src/transparency-log.ts";

interface EventTime {
  readonly received: string;
  readonly time: { readonly earliest: string | null; readonly latest: string; readonly best: string } | null;
}
interface ExportedRow {
  readonly position: number;
  readonly type: string;
  readonly hash: string;
  readonly expiredBy?: number;
  readonly event?: { readonly id: string; readonly at: string } | null;
}

let folder: string;
let dir: string;
let relay: RelayProcess;
let writer: RawWriter;
let hq: HqClient;
let orders: RawEvent[];

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-privacy-"));
  dir = path.join(folder, "relay");
  relay = await startRelay(dir);
  writer = await RawWriter.enrol(relay.url, await enrolmentCode(dir, "R001", { name: "Aishah", role: "rep" }));
  hq = await openHq(relay.url, await enrolmentCode(dir, "H001", { name: "Auditor", role: "hq" }));
  await writer.connect();
  orders = writer.makeOrders(5);
  await writer.append(orders);
});

after(async () => {
  writer.close();
  await relay.process.stop();
  await rm(folder, { recursive: true, force: true });
});

const idOf = (event: RawEvent) => (JSON.parse(new TextDecoder().decode(event.bytes)) as { id: string }).id;
const exported = async (): Promise<ExportedRow[]> =>
  (await operate("log", "export", "--dir", dir))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as ExportedRow);

async function receiptOf(id: string): Promise<string> {
  for (;;) {
    try {
      return await operate("log", "prove", id, "--dir", dir);
    } catch (error) {
      assert.match(String((error as { stderr?: string }).stderr), /log\.uncovered/);
    }
  }
}

test("L64 for each event the relay says between which moments it happened, and leaves the phone's time as it came", async () => {
  const [order] = orders as [RawEvent];
  const { received, time } = (await hq.json(`/v1/events/${idOf(order)}/time`)) as EventTime;
  assert.ok(time?.earliest != null);
  assert.ok(time.earliest <= time.best && time.best <= time.latest && time.latest <= received);
  const said = (JSON.parse(new TextDecoder().decode(order.bytes)) as { at: string }).at;
  const row = (await exported()).find(({ hash }) => hash === order.hash);
  assert.equal(row?.event?.at, said);
});

test("L65 everything that is held about a person is given out as lines of JSON", async () => {
  const out = path.join(folder, "given-out");
  await operate("person", "export", "R001", "--dir", dir, "--out", out);
  const text = await readFile(path.join(out, "R001.ndjson"), "utf8");
  for (const order of orders) assert.ok(text.includes(idOf(order)));
  assert.ok(text.includes("Aishah"));
  assert.ok(!text.includes("Auditor"));
});

test("L66 when a person is forgotten, bytes go by a decision in the log, and every receipt proves what it proved", async () => {
  const key = (await operate("log", "key", "--dir", dir)).trim();
  const [order] = orders as [RawEvent];
  const before = checkReceipt(await receiptOf(idOf(order)), key);
  await operate("person", "forget", "R001", "--dir", dir, "--reason", "asked for it");

  const rows = await exported();
  const decision = rows.find(({ type }) => type === "expiry");
  assert.ok(decision);
  for (const { hash } of orders) {
    const row = rows.find((one) => one.hash === hash);
    assert.equal(row?.expiredBy, decision.position);
    assert.equal(row.event, null);
  }
  assert.match(
    await operate("log", "verify", "--dir", dir),
    new RegExp(`5 rows expired by decision ${decision.position}\\.`),
  );
  const after = checkReceipt(await receiptOf(idOf(order)), key);
  assert.equal(after.record, before.record);
  assert.equal(after.index, before.index);
});
