import type { Pack } from "@sampai/engine";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { databaseFile } from "../../src/database/connection.ts";
import { runImport } from "../../src/import/import.ts";
import { forgetPerson } from "../../src/privacy/expiry.ts";
import { packsOf } from "../../src/reference/stored-packs.ts";
import { verifyPacks } from "../../src/reference/verify.ts";
import { bytesOf, demoFolder, smallFiles, textOf, withFolder } from "../import/demo-files.ts";
import { startLinePhone, type LinePhone } from "../reference/phone-line.ts";
import { newFolder, sampai, serveRelay, type RelayProcess } from "../relay-process.ts";
import { enrolPhone, type WirePhone } from "../wire-phone.ts";

const NAME = "Aishah";
const FORGOTTEN = "R001";

let dir: string;
let csv: string;
let relay: RelayProcess;
let wire: WirePhone;
let phone: LinePhone;
let phoneDir: string;

before(async () => {
  dir = await newFolder();
  phoneDir = await newFolder();
  csv = await mkdtemp(path.join(tmpdir(), "sampai-csv-"));
  await cp(demoFolder, csv, { recursive: true });
  await importCsv();
  const goods = await readFile(path.join(csv, "goods.csv"), "utf8");
  await writeFile(path.join(csv, "goods.csv"), goods.replace(",8.69,no", ",8.99,no"));
  await importCsv();
  relay = await serveRelay(dir);
  wire = await enrolPhone(relay.url, await enrolmentCode("R012"));
  phone = await startLinePhone(phoneDir, relay.url, await enrolmentCode("R011"));
  await phone.ask("go-online");
  await phone.until("pack", (pack) => (pack as Pack | null)?.number === 2);
});
after(async () => {
  await phone.kill();
  await relay.end("SIGKILL");
  for (const folder of [dir, csv, phoneDir]) await rm(folder, { recursive: true });
});

async function importCsv(): Promise<string> {
  const { status, out, err } = await sampai("import", csv, "--dir", dir);
  assert.equal(status, 0, err);
  return out;
}

async function enrolmentCode(person: string): Promise<string> {
  const { status, out, err } = await sampai("enrol", "--dir", dir, "--person", person);
  assert.equal(status, 0, err);
  return (JSON.parse(out) as { code: string }).code;
}

const get = (number: number, headers: Record<string, string> = {}) =>
  fetch(`${relay.url}/v1/packs/${number}`, { headers: { authorization: `Bearer ${wire.token}`, ...headers } });
const packAt = async (number: number) => (await (await get(number)).json()) as Pack;
const codesIn = ({ people }: Pack) => people.map(({ code }) => code);

interface Forgotten {
  readonly decisions: readonly number[];
  readonly packs: number;
  readonly pack: { readonly number: number; readonly sha256: string; readonly isNew: boolean };
}

async function forget(person: string): Promise<Forgotten> {
  const { status, out, err } = await sampai("person", "forget", person, "--dir", dir, "--reason", "asked for it");
  assert.equal(status, 0, err);
  return JSON.parse(out) as Forgotten;
}

async function databasesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(dir)) {
    if (name.includes(".sqlite") && (await readFile(path.join(dir, name))).includes(text)) found.push(name);
  }
  return found;
}

test("forgetting a person issues a pack without the person, of which connected phones are told at once", async () => {
  const talk = await wire.connect(relay.url);
  assert.equal((await talk.ask(wire.claimMessage(1, []))).type, "claimed");
  const held = (await get(2)).headers.get("etag") ?? "";
  const olds = [await packAt(1), await packAt(2)];

  const { pack, packs } = await forget(FORGOTTEN);
  assert.deepEqual([pack.number, pack.isNew, packs], [3, true, 2]);
  assert.deepEqual(await talk.next(), { type: "pack", number: 3, sha256: pack.sha256 });
  talk.socket.close();
  const newest = await packAt(3);
  assert.deepEqual(
    codesIn(newest),
    codesIn(olds[1] as Pack).filter((code) => code !== FORGOTTEN),
  );

  // Events are judged by the prices and forms of the pack of their time, so nothing else of it may change.
  for (const old of olds) {
    const left = await get(old.number);
    const bytes = Buffer.from(await left.arrayBuffer());
    assert.equal(left.headers.get("etag"), `"${createHash("sha256").update(bytes).digest("hex")}"`);
    assert.ok(!bytes.includes(NAME));
    const people = old.people.filter(({ code }) => code !== FORGOTTEN);
    assert.deepEqual(JSON.parse(bytes.toString()), { ...old, people });
  }
  const whole = await get(3, { "a-im": "fossil-delta", "if-none-match": held });
  assert.equal(whole.status, 200, "what differs from bytes that are gone cannot be said");
});

test("a phone that holds a pack from before it was rewritten comes up to the newest", async () => {
  await phone.until("pack", (pack) => (pack as Pack | null)?.number === 3);
  const pack = (await phone.ask("pack")) as Pack;
  assert.ok(!codesIn(pack).includes(FORGOTTEN));
});

test("verify finds rewritten packs sound and says how many a decision rewrote", async () => {
  const { status, out } = await sampai("verify", dir);
  assert.equal(status, 0, out);
  assert.match(out, /^packs: 3 packs, each as it was signed; 2 without a forgotten person, by decision\.$/m);
});

test("an import that still holds a forgotten person leaves the person out and says so", async () => {
  const said = await importCsv();
  assert.match(said, /reps\.csv:2 code: R001 was forgotten and is left out/);
  assert.match(said, /Reference pack 3 stays in force/);
  const db = new DatabaseSync(databaseFile(dir), { readOnly: true });
  const row = db.prepare("select name, territories from person where code = ?").get(FORGOTTEN);
  db.close();
  assert.deepEqual({ ...row }, { name: "forgotten", territories: "[]" });
  assert.ok(!codesIn(await packAt(3)).includes(FORGOTTEN));
});

test("a person who is forgotten again leaves nothing to decide and nothing to do in the packs", async () => {
  const { pack, packs, decisions } = await forget(FORGOTTEN);
  assert.deepEqual([pack.number, pack.isNew, packs, decisions.length], [3, false, 0, 0]);
});

test("after a stop and a sweep the name of the forgotten person is found in no database of the folder", async () => {
  await relay.end("SIGTERM");
  const swept = await sampai("log", "sweep", "--dir", dir);
  assert.equal(swept.status, 0, swept.err);
  assert.deepEqual(await databasesWith(NAME), []);
});

test("another person is forgotten where no relay works, and what was rewritten twice still proves", async () => {
  const { pack, packs } = await forget("R002");
  assert.deepEqual([pack.number, pack.isNew, packs], [4, true, 3]);
  assert.deepEqual(await databasesWith("Wei Ling"), []);
  const { status, out } = await sampai("verify", dir);
  assert.equal(status, 0, out);
  assert.match(out, /^packs: 4 packs, each as it was signed; 3 without a forgotten person, by decision\.$/m);
});

test("a pack that was rewritten without a decision that names it is bad, though the workspace signed it", async () => {
  for (const [change, what] of [
    ["delete from expired_pack where number = 2", /^packs: pack 2 is not the pack that was issued, and no decision/m],
    [
      "update expired_pack set decision = (select min(position) from log where type = 'expiry') where number = 1",
      /^packs: pack 1 was rewritten by a decision that does not name it/m,
    ],
    ["delete from expired_pack where decision = (select max(decision) from expired_pack)", /^packs: pack 1 is not/m],
  ] as const) {
    const copy = await newFolder();
    await cp(dir, copy, { recursive: true });
    const db = new DatabaseSync(databaseFile(copy));
    // One row for each pack is enough to move.
    if (change.startsWith("update"))
      db.exec("delete from expired_pack where number = 1 and decision > (select min(decision) from expired_pack)");
    assert.ok(Number(db.prepare(change).run().changes) > 0, change);
    db.close();
    const { status, out } = await sampai("verify", copy);
    assert.equal(status, 1, change);
    assert.match(out, what);
    await rm(copy, { recursive: true });
  }
});

test("two people who are forgotten at the same time both leave every pack, however many there are", () =>
  withFolder(async (folder) => {
    const issued = 10;
    for (let price = 1; price <= issued; price += 1) {
      const files = smallFiles();
      const goods = textOf(files["goods.csv"]).replace("11.00", `${10 + price}.00`);
      assert.ok((await runImport(folder, { ...files, "goods.csv": bytesOf(goods) })).ok);
    }
    const office = { ...folder, dir };
    const forgetting = ["R001", "R002"].map((person) => forgetPerson(office, { person, reason: "left", by: "test" }));
    assert.ok((await Promise.all(forgetting)).every(({ ok }) => ok));
    const packs = packsOf(folder.db);
    const newest = packs.newestNumber() ?? 0;
    for (let number = 1; number <= newest; number += 1) {
      const bytes = textOf(packs.row(number)?.bytes);
      assert.ok(!bytes.includes("Ravi") && !bytes.includes("Aishah") && bytes.includes("Zainab"), `pack ${number}`);
    }
    const found = verifyPacks(folder.db, folder.workspace);
    assert.ok("expired" in found && found.packs === newest && found.expired >= issued, JSON.stringify(found));
  }));

test("a folder that a version before this one wrote is verified as it is", () =>
  withFolder(async (folder) => {
    assert.ok((await runImport(folder, smallFiles())).ok);
    const copy = new DatabaseSync(":memory:");
    for (const table of ["pack", "trail"]) {
      const { sql } = folder.db.prepare("select sql from sqlite_schema where name = ?").get(table) as { sql: string };
      copy.exec(sql);
      for (const row of folder.db.prepare(`select * from ${table}`).all()) {
        const values = Object.values(row);
        copy.prepare(`insert into ${table} values (${values.map(() => "?").join(", ")})`).run(...values);
      }
    }
    assert.deepEqual(verifyPacks(copy, folder.workspace), { packs: 1, expired: 0 });
    copy.close();
  }));
