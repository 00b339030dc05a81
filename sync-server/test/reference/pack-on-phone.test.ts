import type { Pack } from "@sampai/engine";
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { openForReading } from "../../src/database/connection.ts";
import { demoFolder } from "../import/demo-files.ts";
import { newFolder, sampai, serveRelay, type RelayProcess } from "../relay-process.ts";
import { startLinePhone, type LinePhone } from "./phone-line.ts";

let dir: string;
let csv: string;
let relay: RelayProcess;
let phone: LinePhone;
let code: string;

const phoneDir = () => path.join(dir, "phone");
const number = (value: unknown) => (value as Pack | null)?.number ?? null;

async function raisePrice(from: string, to: string) {
  const file = path.join(csv, "goods.csv");
  await writeFile(file, (await readFile(file, "utf8")).replace(from, to));
  const imported = await sampai("import", csv, "--dir", dir);
  assert.equal(imported.status, 0, imported.err);
}

function claimedPack(): unknown {
  const db = openForReading(dir);
  const row = db.prepare("select json_extract(claim, '$.pack') as pack from contact").get();
  db.close();
  return row?.["pack"];
}

before(async () => {
  dir = await newFolder();
  csv = await mkdtemp(path.join(tmpdir(), "sampai-csv-"));
  await cp(demoFolder, csv, { recursive: true });
  assert.equal((await sampai("import", csv, "--dir", dir)).status, 0);
  relay = await serveRelay(dir);
  const { out } = await sampai("enrol", "--dir", dir, "--person", "R012");
  code = (JSON.parse(out) as { code: string }).code;
  phone = await startLinePhone(phoneDir(), relay.url, code);
});
after(async () => {
  await phone.kill();
  await relay.end("SIGKILL");
  await rm(dir, { recursive: true });
  await rm(csv, { recursive: true });
});

test(
  "a price list that comes during a visit waits until its check-out, also over a kill of the phone",
  { timeout: 90_000 },
  async () => {
    await phone.ask("go-online");
    await phone.until("pack", (pack) => number(pack) === 1);
    const capture = async (kind: string, body: object, visit?: string) =>
      (await phone.ask("capture", {
        kind,
        store: "S-0186",
        body,
        place: { missing: "denied" },
        ...(visit === undefined ? {} : { visit }),
      })) as { id?: string; envelope?: { id: string; seen: { pack: number } } };
    await phone.ask("capture", { kind: "attendanceStarted", body: { odometerKm: null }, place: { missing: "denied" } });
    const checkIn = await capture("checkIn", { plan: null });
    const visit = checkIn.envelope?.id ?? checkIn.id;
    assert.ok(visit !== undefined);

    await raisePrice(",8.69,no", ",8.99,no");
    // Each contact claims the newest pack that the phone holds: once that is 2, only the open visit keeps it waiting.
    while (claimedPack() !== 2) {
      await phone.ask("go-offline");
      await phone.ask("go-online");
      await phone.ask("drain", { lanes: ["facts", "documents"], timeoutMs: 20_000 });
    }
    assert.equal(number(await phone.ask("pack")), 1);

    await phone.kill();
    phone = await startLinePhone(phoneDir(), relay.url, code);
    assert.equal(number(await phone.ask("pack")), 1, "the visit is open still");

    const order = await capture(
      "orderPlaced",
      {
        lines: [{ sku: "1", quantity: 2, unit: "1kg", unitPriceSen: 869, scheme: null }],
        totalSen: 1_738,
        creditLimitSen: null,
        deliverOn: null,
        note: "",
      },
      visit,
    );
    assert.equal(order.envelope?.seen.pack, 1);
    await capture("checkOut", { outcome: "ordered" }, visit);
    await phone.until("pack", (pack) => number(pack) === 2);
    const next = await capture("checkIn", { plan: null });
    assert.equal(next.envelope?.seen.pack, 2);
  },
);
