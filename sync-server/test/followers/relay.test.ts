import type { Claim } from "@sampai/engine/wire";
import { eventKinds, type Envelope } from "@sampai/engine";
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { followersFile } from "../../src/followers/database.ts";
import type { Alert } from "../../src/followers/alerts/desk.ts";
import type { FleetRow } from "../../src/followers/fleet.ts";
import type { FindingRow, OrderView, PageOf, VerdictRow } from "../../src/followers/questions.ts";
import type { FollowerStatus } from "../../src/followers/runner.ts";
import type { Story } from "../../src/trail/story.ts";
import { newFolder, sampai, serveRelay, type RelayProcess } from "../relay-process.ts";
import { enrolPhone, type TestEvent, type WirePhone } from "../wire-phone.ts";
import { readLive } from "./live-reader.ts";
import { everythingIn } from "./relay-folder.ts";

let dir: string;
let relay: RelayProcess;
let phone: WirePhone;
let hq: WirePhone;
let supervisor: WirePhone;
let stranger: WirePhone;

async function invite(person: string, role: string, territories: string): Promise<WirePhone> {
  const words = ["--person", person, "--name", `${role} ${person}`, "--role", role, "--territories", territories];
  const { status, out, err } = await sampai("enrol", "--dir", dir, ...words);
  assert.equal(status, 0, err);
  return enrolPhone(relay.url, (JSON.parse(out) as { code: string }).code);
}

before(async () => {
  dir = await newFolder();
  relay = await serveRelay(dir);
  phone = await invite("R001", "rep", "T1");
  hq = await invite("H001", "hq", "*");
  supervisor = await invite("V001", "supervisor", "T1");
  stranger = await invite("V002", "supervisor", "T2");
});
after(() => relay.end("SIGKILL"));

async function get<T>(path: string, who: WirePhone): Promise<{ status: number; body: T }> {
  const answer = await fetch(`${relay.url}${path}`, { headers: { authorization: `Bearer ${who.token}` } });
  return { status: answer.status, body: (await answer.json()) as T };
}

/** Asks until the followers have read everything. */
async function caughtUp(): Promise<void> {
  for (;;) {
    const { body } = await get<{ followers?: FollowerStatus[] }>("/v1/followers", hq);
    if (body.followers?.every(({ behind }) => behind === 0) === true) return;
  }
}

/** Now, so that it is today in every zone that matters here. */
const at = new Date().toISOString();
const now = (envelope: Envelope): Envelope => ({
  ...envelope,
  at,
  clock: { ...envelope.clock, tick: envelope.seq, wall: at },
  visit: envelope.id,
  kind: eventKinds.orderPlaced.name,
});

let orders: TestEvent[];

test("an order shows on HQ's board without being asked for, with what is owed before and nothing after", async () => {
  const live = await readLive(`${relay.url}/v1/boards/today/live`, hq.token);
  await live.until(() => live.rows.has("R001"));
  assert.equal(live.events[0]?.event, "snapshot");
  orders = phone.events(6, { change: now });
  const tip = orders.at(-1) as TestEvent;
  const queue = { events: 6, orders: 6, oldestAt: at, documents: 0, photos: 0, photoBytes: 0 };
  const attempts: Claim["attempts"] = [
    { number: 1, at, lane: "link", bytes: 0, outcome: "failed", tookMs: 10 },
    { number: 2, at, lane: "link", bytes: 0, outcome: "failed", tookMs: 10 },
    { number: 3, at, lane: "facts", run: tip.run, from: 1, to: 6, bytes: 4_000, outcome: "lost", tookMs: 900 },
  ];
  const link = await phone.connect(relay.url);
  await link.ask(phone.claimMessage(1, [{ run: tip.run, seq: tip.seq, hash: tip.hash }], { at, queue, attempts }));
  const row = () => live.rows.get("R001") as unknown as { orders: number; completeness: { owedOrders: number } };
  await live.until(() => row().completeness.owedOrders === 6);
  await link.ask(phone.appendMessage(2, orders));
  await live.until(() => row().orders === 6 && row().completeness.owedOrders === 0);
  assert.ok(live.events.slice(1).every(({ event }) => event === "delta"));
  live.stop();
  link.socket.close();
});

test("a reader that comes back with its last id gets only what it missed, and an unknown id the whole board", async () => {
  const first = await readLive(`${relay.url}/v1/boards/today/live`, hq.token);
  await first.until(() => first.events.length > 0);
  const id = first.events.at(-1)?.id ?? "";
  first.stop();
  await first.ended;
  const link = await phone.connect(relay.url);
  const more = phone.events(1, {
    run: orders[0]?.run as string,
    from: 7,
    after: orders.at(-1) as TestEvent,
    change: now,
  });
  await link.ask(phone.appendMessage(1, more));
  orders.push(...more);
  await caughtUp();
  const back = await readLive(`${relay.url}/v1/boards/today/live`, hq.token, id);
  await back.until(() => (back.rows.get("R001") as { orders?: number } | undefined)?.orders === 7);
  assert.ok(back.events.every(({ event }) => event === "delta"));
  back.stop();
  const lost = await readLive(`${relay.url}/v1/boards/today/live`, hq.token, "another-12");
  await lost.until(() => lost.events.length > 0);
  assert.equal(lost.events[0]?.event, "snapshot");
  lost.stop();
  link.socket.close();
});

test("a supervisor sees their own people, another none of them, and a rep no board at all", async () => {
  type Rows = { rows: { key: string }[]; top: { orders: number } };
  const mine = await get<Rows>("/v1/boards/today", supervisor);
  assert.deepEqual(
    mine.body.rows.map(({ key }) => key),
    ["R001"],
  );
  const others = await get<Rows>("/v1/boards/today", stranger);
  assert.deepEqual([others.body.rows, others.body.top.orders], [[], 0]);
  for (const path of ["/v1/boards/today", "/v1/boards/today/live", "/v1/alerts", "/v1/fleet", "/v1/findings"]) {
    assert.equal((await get(path, phone)).status, 403, path);
  }
  assert.equal((await get("/v1/boards/none", hq)).status, 404);
  assert.equal((await get(`/v1/orders/${orders[0]?.id}`, stranger)).status, 403);
  assert.deepEqual((await get<PageOf<VerdictRow>>("/v1/verdicts", stranger)).body.rows, []);
});

test("an order is shown with its place, its verdicts and what was not checked; its rep may see it too", async () => {
  await caughtUp();
  const { status, body } = await get<OrderView>(`/v1/orders/${orders[0]?.id}`, phone);
  assert.equal(status, 200);
  assert.equal(body.receipt.sha256, orders[0]?.hash);
  assert.deepEqual(
    body.state.map(({ step, done }) => [step, done]),
    [
      ["captured", true],
      ["in-log", true],
      ["checked", true],
    ],
  );
  assert.ok(body.judgement.verdicts.some(({ rule, verdict }) => rule === "known-sku" && verdict === "not-checked"));
  assert.ok(body.judgement.passed.some((rule) => rule.startsWith("total-adds-up@")));
  assert.equal((await get("/v1/orders/01936a5e-0000-7000-8000-00000000ffff", hq)).status, 404);
});

test("the trail tells where an order spent its time, over HTTP and on the command line, with a relay and without", async () => {
  const id = orders[2]?.id ?? "";
  const { body } = await get<Story>(`/v1/trail/${id}`, hq);
  assert.deepEqual(
    body.steps.map(({ what }) => what).filter((what) => what !== "judged"),
    ["captured", "no-link", "tried", "placed"],
  );
  const told = await sampai("trail", id, "--dir", dir);
  assert.equal(told.status, 0, told.err);
  for (const words of [
    /is in the order log at #\d+/,
    /captured at S-0481 on R001's phone/,
    /No link to HQ: 2 tries/,
    /no answer came back/,
  ]) {
    assert.match(told.out, words);
  }
  assert.equal((await sampai("trail", "nobody", "--dir", dir)).status, 1);
});

test("fleet, alerts, findings and verdicts answer with what stands", async () => {
  const fleet = await get<{ devices: FleetRow[] }>("/v1/fleet", supervisor);
  const rep = fleet.body.devices.find(({ person }) => person === "R001");
  assert.deepEqual([rep?.verdict, rep?.owed.events, rep?.received, rep?.declared], ["all-in", 0, 7, 7]);
  const findings = await get<PageOf<FindingRow>>("/v1/findings?count=1", hq);
  assert.equal(findings.status, 200);
  assert.equal((await get("/v1/findings?count=0", hq)).status, 400);
  const alerts = await get<{ alerts: Alert[] }>("/v1/alerts", hq);
  assert.equal(alerts.status, 200);
  const snooze = await fetch(`${relay.url}/v1/alerts/silence:R001/snooze`, {
    method: "POST",
    headers: { authorization: `Bearer ${hq.token}` },
    body: JSON.stringify({ until: at }),
  });
  assert.equal(snooze.status, 404, "an alert that does not stand cannot be snoozed");
});

test("a relay killed while its followers work, and one whose followers' file was deleted, end with the same as one that was let be", async () => {
  const link = await phone.connect(relay.url);
  let last = orders.at(-1) as TestEvent;
  for (let batch = 1; batch <= 15; batch += 1) {
    const events = phone.events(20, { run: last.run, from: last.seq + 1, after: last, change: now });
    await link.ask(phone.appendMessage(batch, events));
    last = events.at(-1) as TestEvent;
  }
  await relay.end("SIGKILL");
  relay = await serveRelay(dir);
  await caughtUp();
  await relay.end("SIGKILL");
  const afterKill = read();
  const older = new DatabaseSync(followersFile(dir));
  older.exec("update follower set version = 0; drop table judged");
  older.close();
  const unknown = /is in the order log[^]*What was judged of it is not known before a relay has run on this folder/;
  const toldByOlder = await sampai("trail", orders[0]?.id ?? "", "--dir", dir);
  assert.match(toldByOlder.out, unknown, toldByOlder.err);
  rmSync(followersFile(dir), { force: true });
  for (const suffix of ["-wal", "-shm"]) rmSync(`${followersFile(dir)}${suffix}`, { force: true });
  writeFileSync(followersFile(dir), "no database".repeat(1_000));
  const toldByDamaged = await sampai("trail", orders[0]?.id ?? "", "--dir", dir);
  assert.match(toldByDamaged.out, unknown, toldByDamaged.err);
  rmSync(followersFile(dir));
  const told = await sampai("trail", orders[0]?.id ?? "", "--dir", dir);
  assert.match(told.out, unknown, told.err);
  relay = await serveRelay(dir);
  await caughtUp();
  const board = await get<{ top: { orders: number; heldOrders: number } }>("/v1/boards/today", hq);
  assert.equal(board.body.top.orders + board.body.top.heldOrders, 307);
  await relay.end("SIGKILL");
  const rebuilt = read();
  relay = await serveRelay(dir);
  for (const name of ["judged", "verdict", "finding", "today_order", "device_event", "observation", "history"]) {
    assert.deepEqual(rebuilt[name], afterKill[name], name);
  }
});

test("followers that cannot work at all cost no order its answer, and a damaged file of theirs is made again", async () => {
  await relay.end("SIGTERM");
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${followersFile(dir)}${suffix}`, { force: true });
  // A folder where the file should be: they cannot even open it.
  mkdirSync(followersFile(dir));
  relay = await serveRelay(dir);
  const link = await phone.connect(relay.url);
  const events = phone.events(5, { change: now });
  const answer = await link.ask(phone.appendMessage(1, events));
  assert.deepEqual(
    answer.type === "appended" ? answer.answers.map((one) => one.answer) : answer,
    events.map(() => "placed"),
  );
  assert.equal((await get("/v1/boards/today", hq)).status, 503);
  link.socket.close();
  await relay.end("SIGTERM");
  rmSync(followersFile(dir), { recursive: true });
  writeFileSync(followersFile(dir), "this is no database, and long enough to be taken for a damaged one ".repeat(40));
  relay = await serveRelay(dir);
  await caughtUp();
  const board = await get<{ top: { orders: number; heldOrders: number } }>("/v1/boards/today", hq);
  assert.equal(board.body.top.orders + board.body.top.heldOrders, 312);
});

function read() {
  const db = new DatabaseSync(followersFile(dir), { readOnly: true });
  try {
    return everythingIn(db);
  } finally {
    db.close();
  }
}
