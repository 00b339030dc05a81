import { eventKinds, readEvent } from "@sampai/engine";
import assert from "node:assert/strict";
import { cp, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { withOffice } from "../../src/commands/expiry-office.ts";
import { expireBefore } from "../../src/privacy/expiry.ts";
import { databaseFile } from "../../src/database/connection.ts";
import { startRepPhone, today, type RepPhone } from "../day/rep-phone.ts";
import { isSame, enrolAs, noisyPicture, photoTaker, tusOf, type TakenPhoto } from "../photos-field.ts";
import { newFolder, sampai, serveRelay, type RelayProcess } from "../relay-process.ts";
import type { TestEvent, WirePhone } from "../wire-phone.ts";

const PLACE = { lat: 3.123_456, lon: 101.654_321, accuracy: 9, age: 0, provider: "gps", mock: false };
const WORDS = "Encik Tan asks for Tuesday";

let dir: string;
let relay: RelayProcess;
let phone: RepPhone;
let other: RepPhone;
let hq: WirePhone;
let order: TestEvent;
let visit: TestEvent;
let photo: TakenPhoto;
let photographer: WirePhone;

before(async () => {
  dir = await newFolder();
  relay = await serveRelay(dir);
  phone = await startRepPhone(relay.url, dir, "R012");
  other = await startRepPhone(relay.url, dir, "R013");
  hq = await enrolAs(relay.url, dir, "H001", "hq");
  [order] = phone.capture(1, (envelope) => ({
    ...envelope,
    place: PLACE,
    body: { ...eventKinds.orderPlaced.golden, note: WORDS },
  })) as [TestEvent];
  [visit] = phone.capture(1, (envelope) => ({
    ...envelope,
    kind: eventKinds.attendanceStarted.name,
    place: PLACE,
    body: { odometerKm: 48_211 },
  })) as [TestEvent];
  await phone.claim(visit);
  await phone.send(order, visit);
  await other.send(...other.capture(2));
  photographer = await enrolAs(relay.url, dir, "R012", "rep");
  photo = await photoTaker(photographer).take(await noisyPicture(64, 48));
  assert.equal((await tusOf(relay.url, photographer.token).send(photo, "original")).status, 204);
});
after(() => relay.end("SIGTERM"));

const lines = async (file: string) =>
  (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** The folder's databases that still hold the text, freed pages included. */
async function databasesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(dir)) {
    if (name.includes(".sqlite") && (await readFile(path.join(dir, name))).includes(text)) found.push(name);
  }
  return found;
}

test("an export holds everything about a person, and nothing about another or any secret", async () => {
  const out = await newFolder();
  const { status, err } = await sampai("person", "export", "R012", "--dir", dir, "--out", out);
  assert.equal(status, 0, err);
  const rows = await lines(path.join(out, "R012.ndjson"));
  const tables = new Set(rows.map(({ table }) => table));
  for (const table of ["person", "device", "contact", "log", "photo", "trail"]) assert.ok(tables.has(table), table);
  const events = rows.filter(({ table, type }) => table === "log" && type === "event");
  assert.equal(events.length, 3);
  assert.ok(events.some(({ bytes }) => (bytes as { body?: { note?: string } }).body?.note === WORDS));
  const text = await readFile(path.join(out, "R012.ndjson"), "utf8");
  assert.ok(!text.includes(other.wire.device) && !text.includes("token_hash") && !text.includes("R013"));
  const [picture] = await readdir(path.join(out, "photos"));
  assert.ok(picture);
  assert.ok(isSame(await readFile(path.join(out, "photos", picture)), photo.bytes));
  const again = await sampai("person", "export", "R012", "--dir", dir, "--out", out);
  assert.equal(again.status, 2);
  assert.match(again.err, /R012\.ndjson is there already: an earlier export is not written over\./);
  const nobody = await sampai("person", "export", "R099", "--dir", dir, "--out", out);
  assert.equal(nobody.status, 1);
  assert.match(nobody.err, /person\.unknown/);
});

test("forgetting a person removes bodies, photos and claims while the relay works, and keeps the ledger provable", async () => {
  const kept = await sampai("log", "export", "--dir", dir);
  const { status, out, err } = await sampai("person", "forget", "R012", "--dir", dir, "--reason", "asked for it");
  assert.equal(status, 0, err);
  const done = JSON.parse(out) as { decisions: number[]; events: number; photos: number };
  assert.deepEqual([done.events, done.photos], [3, 1]);

  const verified = await sampai("log", "verify", "--dir", dir);
  assert.equal(verified.status, 0, verified.out);
  assert.match(verified.out, new RegExp(`3 rows expired by decision ${done.decisions[0]}\\.`));
  // The tree is the same: a receipt of a forgotten event proves its place as before.
  for (;;) {
    const proved = await sampai("log", "prove", order.id, "--dir", dir);
    if (proved.status === 0) break;
    assert.match(proved.err, /log\.uncovered/);
  }
  const hashes = (text: string) =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; hash: string })
      .filter(({ type }) => type === "event")
      .map(({ hash }) => hash);
  assert.deepEqual(hashes((await sampai("log", "export", "--dir", dir)).out), hashes(kept.out));

  const token = await fetch(`${relay.url}/v1/days/R012/${today()}`, {
    headers: { authorization: `Bearer ${phone.wire.token}` },
  });
  assert.equal(token.status, 403, "the person's devices are revoked");
  const shown = await tusOf(relay.url, hq.token).read(`/v1/photos/${photo.id}`);
  assert.equal(shown.status, 410);
  const again = await tusOf(relay.url, photographer.token).send(photo, "original");
  assert.equal(again.status, 403);
  const files = await readdir(path.join(dir, "blobs", "photos"), { recursive: true });
  assert.deepEqual(
    files.filter((file) => file.includes(photo.id)),
    [],
  );
});

test("of an order the books keep goods and prices, without person, place and words", () => {
  const db = new DatabaseSync(databaseFile(dir), { readOnly: true });
  const rows = db.prepare("select remains from expired where remains is not null").all() as { remains: Uint8Array }[];
  const names = db.prepare("select name from person where code = 'R012'").get();
  const left = db.prepare("select count(*) as count from contact where device = ?").get(phone.wire.device) as {
    count: number;
  };
  db.close();
  assert.equal(rows.length, 1);
  const remains = readEvent((rows[0] as { remains: Uint8Array }).remains);
  assert.ok(remains.ok);
  assert.equal(remains.value.id, order.id);
  assert.deepEqual(remains.value.body, { ...eventKinds.orderPlaced.golden, note: "" });
  assert.deepEqual([remains.value.rep, remains.value.place], ["forgotten", null]);
  assert.deepEqual({ ...names }, { name: "forgotten" });
  assert.equal(left.count, 0);
});

test("the trail of a forgotten order tells by which decision its bytes are gone", async () => {
  const { status, out, err } = await sampai("trail", order.id, "--dir", dir);
  assert.equal(status, 0, err);
  assert.match(out, /Its bytes are gone by decision #\d+, all but what the books need\./);
  for (const { id } of [order, visit]) {
    const told = (await sampai("trail", id, "--dir", dir)).out;
    assert.match(told, /What was judged of it is gone with its content\./);
    assert.doesNotMatch(told, /Judged|Not yet judged/);
  }
  const shown = await sampai("log", "tail", "--dir", dir, "--count", "50");
  assert.match(shown.out, /expired/);
});

test("what remains of a forgotten order is judged by no rule, because it would break rules that the order kept", async () => {
  const db = new DatabaseSync(databaseFile(dir), { readOnly: true });
  const next = db.prepare("select id from log where device = ? and type = 'event' limit 1").get(other.wire.device) as {
    id: string;
  };
  db.close();
  const judgement = async (id: string) => {
    const answer = await fetch(`${relay.url}/v1/orders/${id}`, { headers: { authorization: `Bearer ${hq.token}` } });
    const { judgement: found } = (await answer.json()) as { judgement?: { judged: boolean; verdicts: unknown[] } };
    return found;
  };
  // Followers begin anew after the decision; the other rep's order came later.
  const untilMs = performance.now() + 30_000;
  while ((await judgement(next.id))?.judged !== true || (await judgement(order.id))?.judged !== false) {
    assert.ok(performance.now() < untilMs, "followers have begun anew");
  }
  assert.deepEqual((await judgement(order.id))?.verdicts, []);
});

test("after a stop and a sweep nothing of what was forgotten is found in the folder's databases", async () => {
  const working = await sampai("log", "sweep", "--dir", dir);
  assert.equal(working.status, 2, "a relay works in the folder");
  await relay.end("SIGTERM");
  const swept = await sampai("log", "sweep", "--dir", dir);
  assert.equal(swept.status, 0, swept.err);
  assert.deepEqual(await databasesWith(WORDS), []);
  assert.deepEqual(await databasesWith("101.654321"), []);
  relay = await serveRelay(dir);
});

test("an expired event that comes again is a duplicate, and its bytes are not taken back", async () => {
  const undone = await sampai("revoke", "--dir", dir, "--device", phone.wire.device, "--undo");
  assert.equal(undone.status, 0, undone.err);
  const talk = await phone.wire.connect(relay.url);
  const answer = await talk.ask(phone.wire.appendMessage(1, [order, visit]));
  assert.ok(answer.type === "appended");
  assert.deepEqual(
    answer.answers.map((one) => one.answer),
    ["duplicate", "duplicate"],
  );
  // Nor is a phone that lost them given nothing for something.
  const claimed = await talk.ask(phone.wire.claimMessage(2, []));
  assert.ok(claimed.type === "claimed");
  assert.deepEqual(claimed.give, []);
  assert.deepEqual(await databasesWith(WORDS), []);
});

test("bytes that are gone without a decision that names them are bad rows, and so is a changed decision", async () => {
  for (const [change, what] of [
    [
      `update log set bytes = x'' where position = (select max(position) from log where length(bytes) > 0 and type = 'event')`,
      /bytes that do not match its hash/,
    ],
    [`delete from expired where position = (select min(position) from expired)`, /bytes that do not match its hash/],
    [
      `update log set bytes = cast(replace(cast(bytes as text), 'asked for it', 'asked for me') as blob) where type = 'expiry'`,
      /bytes that do not match its hash/,
    ],
    [
      `update log set hash = 'ab' || substr(hash, 3), signature = x'00' where type = 'expiry'`,
      /bytes that do not match its hash/,
    ],
  ] as const) {
    const copy = await newFolder();
    await cp(dir, copy, { recursive: true });
    const db = new DatabaseSync(databaseFile(copy));
    assert.ok(Number(db.prepare(change).run().changes) > 0, change);
    db.close();
    const { status, out } = await sampai("log", "verify", "--dir", copy);
    assert.equal(status, 1, change);
    assert.match(out, what);
  }
});

const dayAfterTomorrow = () => new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
const leaves = async () => (await sampai("log", "export", "--dir", dir)).out.split("\n").length;

test("a day that has not begun takes nothing along, with a relay at work and without, nor does the relay itself take it", async () => {
  const expire = () => sampai("log", "expire", "--dir", dir, "--before", dayAfterTomorrow(), "--reason", "policy");
  const before = await leaves();
  const working = await expire();
  assert.equal(working.status, 2);
  assert.match(working.err, /has not begun in Asia\/Kuala_Lumpur: today is the latest day there is/);
  const { operatorKey } = JSON.parse(await readFile(path.join(dir, "relay.json"), "utf8")) as { operatorKey: string };
  const asked = await fetch(`${relay.url}/v1/operator/expire`, {
    method: "POST",
    headers: { authorization: `Bearer ${operatorKey}`, "content-type": "application/json" },
    body: JSON.stringify({ before: dayAfterTomorrow(), reason: "policy" }),
  });
  assert.equal(asked.status, 400);
  assert.equal(await leaves(), before);
});

test("whoever was forgotten and is heard of again can be forgotten again", async () => {
  // The revocation was undone above, and the phone made contact.
  const { status, out, err } = await sampai("person", "forget", "R012", "--dir", dir, "--reason", "came back");
  assert.equal(status, 0, err);
  assert.equal((JSON.parse(out) as { decisions: number[] }).decisions.length, 1);
});

test("where nothing is left to expire or to forget, that is said, and no decision is written", async () => {
  const before = await leaves();
  for (const words of [
    ["log", "expire", "--before", "2020-01-01"],
    ["person", "forget", "R012"],
  ]) {
    const { status, out, err } = await sampai(...words, "--dir", dir, "--reason", "once more");
    assert.equal(status, 0, err);
    assert.deepEqual((JSON.parse(out) as { decisions: number[] }).decisions, []);
    assert.match(err, /nothing to remove/);
  }
  assert.equal(await leaves(), before);
});

test("what is older than a day of the workspace expires by one decision, where no relay works too", async () => {
  await relay.end("SIGTERM");
  const missing = await sampai("log", "expire", "--dir", dir, "--before", "2020-01-01");
  assert.equal(missing.status, 2, "a reason is needed");
  const request = { before: dayAfterTomorrow(), what: "all", reason: "policy", by: "test" } as const;
  const done = await withOffice(dir, (office) => expireBefore(office, request));
  assert.equal(done.events, 2, "the other person's");
  const verified = await sampai("log", "verify", "--dir", dir);
  assert.equal(verified.status, 0, verified.out);
  assert.match(verified.out, new RegExp(`2 rows expired by decision ${done.decisions[0]}\\.`));
  relay = await serveRelay(dir);
});
