import { offsetMinutes } from "@sampai/engine/core";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { deltaBetween } from "../../src/boards/board.ts";
import { today } from "../../src/boards/today.ts";
import { openFollowers } from "../../src/followers/database.ts";
import { fixAt, orderBody, uuid, type FieldPhone } from "./field-phone.ts";
import { clockAt, everythingIn, follow, openRelayFolder, tipOf, zoneAtTen, type RelayFolder } from "./relay-folder.ts";
import { stillMasters, storeAtPlace } from "./still-masters.ts";

const zone = zoneAtTen();
const start = Date.now();
const clock = clockAt(start);
const ago = (minutes: number) => new Date(start - minutes * 60_000).toISOString();
const day = new Date(start + offsetMinutes(start, zone) * 60_000).toISOString().slice(0, 10);

let folder: RelayFolder;
let ali: FieldPhone;
let siti: FieldPhone;
let raj: FieldPhone;
let mei: FieldPhone;
const masters = stillMasters({
  stores: ["S-1", "S-2", "S-3"].map((code, n) => storeAtPlace(code, 2.72 + n / 100, 101.94)),
  people: ["R001", "R002", "R003", "R004"].map((code, n) => ({
    code,
    name: `Rep ${code}`,
    role: "rep" as const,
    territories: [n < 2 ? "N9" : "MLK"],
  })),
  devices: { ali: "R001", siti: "R002", raj: "R003", mei: "R004" },
  stops: {
    [day]: [
      ...["S-1", "S-2"].map((store, n) => ({ rep: "R001", store, plan: `R001/w/${n}` })),
      ...["S-1", "S-2", "S-3"].map((store, n) => ({ rep: "R002", store, plan: `R002/w/${n}` })),
      { rep: "R003", store: "S-3", plan: "R003/w/0" },
    ],
  },
});

before(async () => {
  folder = await openRelayFolder();
  ali = await folder.enrol("ali", "R001");
  siti = await folder.enrol("siti", "R002");
  raj = await folder.enrol("raj", "R003");
  mei = await folder.enrol("mei", "R004");
});
after(() => folder.close());

const capturedBy = (phone: FieldPhone, minutes: number) =>
  phone.capture("orderPlaced", orderBody(1, 100), { at: ago(minutes), visit: uuid("siti 2"), store: null });

const rowOf = (followed: ReturnType<typeof follow>, rep: string, connected: Readonly<Record<string, string>> = {}) => {
  const row = followed.board(connected).rows.find(({ key }) => key === rep);
  assert.ok(row !== undefined, `the board has a row for ${rep}`);
  return row;
};

test("before anything is heard the board says that it does not know, never zero", () => {
  clock.set(start);
  const followed = follow(folder, { clock, zone, masters });
  followed.run();
  const { top, rows } = followed.board();
  assert.equal(top.completeTo, null);
  assert.equal(top.silent.reps, 3);
  assert.match(top.sentence, /^Nobody at work has been heard; 3 reps not heard — unknown\.$/);
  const row = rows.find(({ key }) => key === "R001");
  assert.deepEqual(row?.stops, { planned: 2, visited: 0, notVisited: 0, owed: 0, unknown: 2 });
  assert.equal(row?.completeness.owedEvents, null);
  followed.db.close();
});

test("visits, orders and value of the day are counted by person; what is amended counts anew, what is cancelled not", async () => {
  const visit = uuid("ali 1");
  const at = { visit, store: "S-1", place: fixAt(2.7201, 101.94) };
  const events = [
    ali.capture("attendanceStarted", { odometerKm: null }, { at: ago(90) }),
    ali.capture("checkIn", { plan: null }, { ...at, id: visit, at: ago(80) }),
    ali.capture("orderPlaced", orderBody(10, 1_000), { ...at, id: uuid("o1"), at: ago(78) }),
    ali.capture("orderPlaced", orderBody(5, 1_000), { ...at, id: uuid("o2"), at: ago(76) }),
    ali.capture("orderPlaced", orderBody(1, 1_000), { ...at, id: uuid("o3"), at: ago(75) }),
    ali.capture(
      "orderAmended",
      { order: uuid("o2"), lines: orderBody(7, 1_000).lines, totalSen: 7_000, reason: "two more" },
      { ...at, at: ago(70) },
    ),
    ali.capture("orderCancelled", { order: uuid("o3"), reason: "wrong store" }, { ...at, at: ago(69) }),
    ali.capture("checkOut", { outcome: "ordered" }, { ...at, at: ago(65) }),
  ];
  await folder.claim(ali, tipOf(events.at(-1) as never));
  await folder.append(ali, events);
  // The link broke before the answer came: everything again.
  await folder.append(ali, events);
  const followed = follow(folder, { clock, zone, masters });
  followed.run();
  const row = rowOf(followed, "R001");
  assert.equal(row.visits, 1);
  assert.deepEqual(row.outcomes, { ordered: 1 });
  assert.deepEqual([row.orders, row.valueSen, row.amended, row.cancelled], [2, 17_000, 1, 1]);
  assert.equal(row.completeness.completeTo && row.completeness.completeTo >= ago(65), true);
  assert.deepEqual(row.stops, { planned: 2, visited: 1, notVisited: 0, owed: 0, unknown: 1 });
  assert.deepEqual([row.completeness.standing, row.completeness.received, row.completeness.declared], ["all-in", 8, 8]);
  followed.db.close();
});

test("an offline id used again for another order counts once", async () => {
  const again = ali.capture("orderPlaced", orderBody(99, 1_000), {
    id: uuid("o1"),
    at: ago(60),
    visit: uuid("ali 1"),
    store: "S-1",
  });
  await folder.append(ali, [again]);
  const followed = follow(folder, { clock, zone, masters });
  followed.run();
  assert.deepEqual([rowOf(followed, "R001").orders, rowOf(followed, "R001").valueSen], [2, 17_000]);
  const verdict = followed.db
    .prepare("select rule from verdict where hash = ? and rule = 'id-once'")
    .get(again.candidate.hash);
  assert.ok(verdict !== undefined, "and a person can see that it happened");
  followed.db.close();
});

test("what a phone has declared and not sent is owed: stops may be among it, and the top line says how many orders", async () => {
  const events = [1, 2, 3, 4, 5].map((n) =>
    siti.capture("orderPlaced", orderBody(n, 100), { at: ago(60 - n), visit: uuid("siti 1"), store: "S-1" }),
  );
  const queue = { events: 5, orders: 5, oldestAt: ago(59), documents: 0, photos: 1, photoBytes: 300_000 };
  const photo = { id: uuid("photo"), visit: uuid("siti 1"), sha256: "a".repeat(64), bytes: 300_000, preview: true };
  await folder.claim(siti, tipOf(events[4] as never), { queue, photosOwed: [photo] });
  const followed = follow(folder, { clock, zone, masters });
  followed.run();
  let row = rowOf(followed, "R002");
  assert.deepEqual(
    [row.completeness.standing, row.completeness.owedEvents, row.completeness.owedOrders, row.completeness.owedPhotos],
    ["owing", 5, 5, 1],
  );
  assert.equal(row.completeness.completeTo, ago(59));
  assert.deepEqual(row.stops, { planned: 3, visited: 0, notVisited: 0, owed: 3, unknown: 0 });
  assert.match(followed.board().top.sentence, /1 rep owes 5 orders/);

  // Three arrive, their answer is lost, and the phone claims them again as unsent.
  await folder.append(siti, events.slice(0, 3));
  await folder.claim(siti, tipOf(events[4] as never), { queue, photosOwed: [photo] });
  followed.run();
  row = rowOf(followed, "R002");
  assert.deepEqual([row.completeness.owedEvents, row.completeness.owedOrders], [2, 2]);
  assert.deepEqual([row.completeness.received, row.completeness.declared], [3, 5]);

  await folder.append(siti, events.slice(3));
  followed.run();
  row = rowOf(followed, "R002");
  assert.deepEqual(
    [row.completeness.standing, row.completeness.owedEvents, row.completeness.owedPhotos],
    ["all-in", 0, 1],
  );
  assert.deepEqual(row.stops, { planned: 3, visited: 0, notVisited: 0, owed: 0, unknown: 3 });

  // Only of a phone that is connected and sends nothing more can it be said that nobody was there.
  assert.equal(rowOf(followed, "R002", { siti: ago(1) }).stops.notVisited, 0);
  clock.set(start + 5 * 60_000);
  assert.equal(rowOf(followed, "R002", { siti: ago(1) }).stops.notVisited, 3);
  clock.set(start);
  followed.db.close();
});

test("who should be at work and is not heard for two hours is unknown, not idle; a connected phone is heard", async () => {
  await folder.claim(raj, null);
  clock.set(start + 3 * 3_600_000);
  const followed = follow(folder, { clock, zone, masters });
  followed.run();
  const row = rowOf(followed, "R003");
  assert.equal(row.completeness.standing, "silent");
  assert.deepEqual(row.stops, { planned: 1, visited: 0, notVisited: 0, owed: 0, unknown: 1 });
  assert.match(followed.board().top.sentence, /not heard since \d\d:\d\d — unknown/);
  assert.equal(rowOf(followed, "R003", { raj: ago(1) }).completeness.standing, "all-in");
  clock.set(start);
  followed.db.close();
});

test("an order that a detector holds stands beside the figures, not in them", async () => {
  const events = Array.from({ length: 8 }, (_, n) =>
    mei.capture("orderPlaced", orderBody(30, 1_000), { at: ago(50 - n), visit: uuid("mei"), store: "S-2" }),
  );
  const slip = mei.capture("orderPlaced", orderBody(3_000, 1_000), { at: ago(40), visit: uuid("mei"), store: "S-2" });
  await folder.append(mei, [...events, slip]);
  const followed = follow(folder, { clock, zone, masters });
  followed.run();
  const row = rowOf(followed, "R004");
  assert.deepEqual([row.orders, row.valueSen, row.heldOrders, row.heldValueSen], [8, 240_000, 1, 3_000_000]);
  followed.db.close();
});

test("a supervisor's board holds their own people and sums of those alone", () => {
  const followed = follow(folder, { clock, zone, masters });
  followed.run();
  const whole = followed.board();
  const scoped = today.scoped({ board: "today", ...whole }, ["MLK"]);
  assert.deepEqual(
    scoped.rows.map(({ key }) => key),
    ["R003", "R004"],
  );
  assert.equal(scoped.top["orders"], 8);
  assert.equal(whole.top["orders"], 15);
  assert.equal(deltaBetween(scoped, scoped), null);
  assert.deepEqual(deltaBetween(scoped, { ...scoped, rows: scoped.rows.slice(1) })?.gone, ["R003"]);
  followed.db.close();
});

test("a board that followed all along and one that replays the whole stream say the same", () => {
  const followed = follow(folder, { clock, zone, masters });
  followed.run();
  const fresh = new DatabaseSync(":memory:");
  const stepwise = openFollowers(folder.dir);
  const schema = stepwise
    .prepare("select sql from sqlite_master where name in ('follower', 'followed_term', 'outgoing_note')")
    .all();
  for (const { sql } of schema as { sql: string }[]) fresh.exec(sql);
  const replayed = follow(folder, { clock, zone, masters, db: fresh });
  replayed.run();
  assert.deepEqual(replayed.board(), followed.board());
  assert.deepEqual(everythingIn(fresh), everythingIn(followed.db));
  followed.db.close();
  stepwise.close();
});

test("a phone that has just come back is believed from its claim on, not from its connection on", async () => {
  const events = [capturedBy(siti, 9), capturedBy(siti, 8)];
  await folder.append(siti, events);
  await folder.claim(siti, tipOf(events[1] as never));
  clock.set(start + 10 * 60_000);
  const followed = follow(folder, { clock, zone, masters });
  followed.run();
  const openedBefore = rowOf(followed, "R002", { siti: ago(1) });
  const openedAfter = rowOf(followed, "R002", { siti: ago(-9) });
  assert.deepEqual([openedBefore.completeness.isCurrent, openedBefore.stops.notVisited], [true, 3]);
  assert.deepEqual([openedAfter.completeness.isCurrent, openedAfter.stops.notVisited], [false, 0]);
  assert.ok((openedAfter.completeness.completeTo ?? "") < (openedBefore.completeness.completeTo ?? ""));
  clock.set(start);
  followed.db.close();
});

test("what is in the log and not in the figures yet is not said to be complete", async () => {
  clock.set(start + 20 * 60_000);
  const followed = follow(folder, { clock, zone, masters });
  followed.run();
  const before = rowOf(followed, "R002", { siti: ago(1) });
  const event = capturedBy(siti, 7);
  await folder.append(siti, [event]);
  await folder.claim(siti, tipOf(event));
  const meanwhile = rowOf(followed, "R002", { siti: ago(1) });
  assert.equal(meanwhile.orders, before.orders);
  assert.deepEqual([meanwhile.completeness.owedEvents, meanwhile.completeness.isCurrent], [0, false]);
  assert.equal(meanwhile.completeness.completeTo, ago(8), "as far as the newest that the figures hold");
  assert.equal(meanwhile.stops.notVisited, 0);
  followed.run();
  const after = rowOf(followed, "R002", { siti: ago(1) });
  assert.equal(after.orders, before.orders + 1);
  assert.equal(after.completeness.isCurrent, true);
  clock.set(start);
  followed.db.close();
});
