import assert from "node:assert/strict";
import { test } from "node:test";
import { detect, logItem } from "./detection.ts";
import { createFieldPhone, fixAt, orderBody, uuid, type Captured } from "./field-phone.ts";
import { stillMasters, storeAtPlace } from "./still-masters.ts";

const here = { lat: 2.7258, lon: 101.9424 };
const masters = stillMasters({
  stores: [
    storeAtPlace("S-1", here.lat, here.lon),
    storeAtPlace("S-2", here.lat + 0.02, here.lon),
    storeAtPlace("S-3", here.lat + 0.04, here.lon),
    { ...storeAtPlace("S-4", here.lat, here.lon + 0.03), uncertaintyMeters: 3_000 },
  ],
});
const minute = (n: number) => new Date(Date.UTC(2026, 10, 24, 1, n)).toISOString();
const phone = (name = "d1") => createFieldPhone(name, "R001");
const day = (n: number, minutes = 0) => new Date(Date.UTC(2026, 10, n, 2, minutes)).toISOString();

/** Each received five minutes after it was captured, unless said otherwise. */
function flagsOf(captured: readonly (Captured & { received?: string })[]) {
  const items = captured.map((one, position) =>
    logItem(position, one, one.received ?? new Date(Date.parse(one.envelope.at) + 300_000).toISOString()),
  );
  return detect([items], masters);
}

test("a place in the sea off Africa, one with swapped numbers and one abroad are told apart, and none is refused", () => {
  const p = phone();
  const at = (lat: number, lon: number, n: number) =>
    p.capture("checkIn", { plan: null }, { at: minute(n), store: "S-1", place: fixAt(lat, lon) });
  const flags = flagsOf([at(0, 0, 0), at(101.9424, 2.7258, 10), at(51.5, -0.1, 20), at(here.lat, here.lon, 30)]);
  const sentences = flags.filter(({ detector }) => detector === "impossible-place").map(({ sentence }) => sentence);
  assert.equal(sentences.length, 3);
  assert.ok(sentences.some((text) => text.includes("off Africa")));
  assert.ok(sentences.some((text) => text.includes("swapped") && text.includes("0 m from the store")));
  assert.ok(sentences.some((text) => text.includes("outside Malaysia")));
});

test("an event without a place is not checked: nothing says that it is bad or good", () => {
  const p = phone();
  assert.deepEqual(flagsOf([p.capture("checkIn", { plan: null }, { at: minute(0), store: "S-1" })]), []);
});

test("a coarse fix is marked and never held", () => {
  const p = phone();
  const flags = flagsOf([
    p.capture("checkIn", { plan: null }, { at: minute(0), store: "S-1", place: fixAt(here.lat, here.lon, 1_240) }),
  ]);
  assert.deepEqual(
    flags.map(({ detector, consequence }) => [detector, consequence]),
    [["coarse-fix", "annotate"]],
  );
});

test("a mock location is found when the phone admits it, and when two fixes of a visit are the written record", () => {
  const p = phone();
  const admitted = p.capture(
    "checkIn",
    { plan: null },
    { at: minute(0), store: "S-1", place: fixAt(here.lat, here.lon + 0.0003, 12, true) },
  );
  const visit = uuid("silent");
  const first = p.capture(
    "checkIn",
    { plan: null },
    { id: visit, at: minute(30), store: "S-1", place: fixAt(here.lat, here.lon) },
  );
  const second = p.capture("orderPlaced", orderBody(12), {
    at: minute(35),
    visit,
    store: "S-1",
    place: fixAt(here.lat, here.lon),
  });
  const flags = flagsOf([admitted, first, second]).filter(({ detector }) => detector === "mock-location");
  assert.deepEqual(flags.map(({ id }) => id).toSorted(), [admitted.envelope.id, second.envelope.id].toSorted());
});

test("a fix that stays the same to the last bit at stores that lie apart is stuck from the second store on", () => {
  const p = phone();
  const stuck = fixAt(here.lat + 0.0001, here.lon + 0.0001, 14.5);
  const visits = ["S-1", "S-2", "S-3"].map((store, index) =>
    p.capture("checkIn", { plan: null }, { at: minute(index * 40), store, place: stuck }),
  );
  const flags = flagsOf(visits).filter(({ detector }) => detector === "stuck-gps");
  assert.deepEqual(
    flags.map(({ id }) => id).toSorted(),
    visits
      .slice(1)
      .map(({ envelope }) => envelope.id)
      .toSorted(),
  );
});

test("a visit away from a store whose place visits have confirmed is outside the fence", () => {
  const confirmed = [1, 2, 3].map((n) =>
    phone(`c${n}`).capture(
      "checkIn",
      { plan: null },
      { at: day(n), store: "S-1", place: fixAt(here.lat + 0.0002, here.lon) },
    ),
  );
  const away = phone("away").capture(
    "checkIn",
    { plan: null },
    { at: day(5), store: "S-1", place: fixAt(here.lat + 0.015, here.lon) },
  );
  const flags = flagsOf([...confirmed, away]).filter(({ detector }) => detector === "geofence");
  assert.deepEqual(
    flags.map(({ id }) => id),
    [away.envelope.id],
  );
  assert.match(flags[0]?.sentence ?? "", /1\.6 km from the store/);
});

test("two visits that agree with each other and not with the record say that the record is wrong, and accuse nobody", () => {
  const visits = [1, 2, 3].map((n) =>
    phone(`w${n}`).capture(
      "checkIn",
      { plan: null },
      { at: day(n), store: "S-1", place: fixAt(here.lat + 0.015, here.lon + n / 1e5) },
    ),
  );
  const flags = flagsOf(visits).filter(({ detector }) => detector === "geofence");
  assert.equal(flags.length, 1);
  assert.match(flags[0]?.sentence ?? "", /the record looks wrong/);
});

test("a first miss at a store is flagged once a later visit shows that the record was right", () => {
  const miss = phone("m").capture(
    "checkIn",
    { plan: null },
    { at: day(1), store: "S-1", place: fixAt(here.lat + 0.015, here.lon) },
  );
  assert.deepEqual(flagsOf([miss]), []);
  const right = phone("r").capture(
    "checkIn",
    { plan: null },
    { at: day(2), store: "S-1", place: fixAt(here.lat, here.lon + 0.0002) },
  );
  assert.deepEqual(
    flagsOf([miss, right]).map(({ id, detector }) => [id, detector]),
    [[miss.envelope.id, "geofence"]],
  );
});

test("a store known only to within kilometres has a fence as wide as that", () => {
  const near = phone().capture(
    "checkIn",
    { plan: null },
    { at: day(1), store: "S-4", place: fixAt(here.lat + 0.02, here.lon + 0.03) },
  );
  assert.deepEqual(flagsOf([near]), []);
});

test("travel that nobody makes is flagged, and the honest visit after it is not", () => {
  const p = phone();
  const home = p.capture(
    "checkIn",
    { plan: null },
    { at: minute(0), store: "S-1", place: fixAt(here.lat, here.lon + 0.0002) },
  );
  const next = p.capture("orderPlaced", orderBody(12), {
    at: minute(5),
    visit: home.envelope.id,
    store: "S-1",
    place: fixAt(here.lat, here.lon + 0.0003),
  });
  const far = p.capture(
    "attendanceEnded",
    { odometerKm: null },
    { at: minute(11), place: fixAt(here.lat + 0.9, here.lon) },
  );
  const back = p.capture(
    "checkIn",
    { plan: null },
    { at: minute(20), store: "S-2", place: fixAt(here.lat + 0.02, here.lon + 0.0002) },
  );
  const flags = flagsOf([home, next, far, back]);
  assert.deepEqual(
    flags.map(({ id, detector }) => [id, detector]),
    [[far.envelope.id, "impossible-travel"]],
  );
  assert.match(flags[0]?.sentence ?? "", /100 km in 6 min/);
});

test("when the first of two places turns out to be the lonely one, the finding moves to it", () => {
  const p = phone();
  const lonely = p.capture(
    "attendanceStarted",
    { odometerKm: null },
    { at: minute(0), place: fixAt(here.lat + 0.9, here.lon) },
  );
  const first = p.capture(
    "checkIn",
    { plan: null },
    { at: minute(5), store: "S-1", place: fixAt(here.lat, here.lon + 0.0002) },
  );
  const second = p.capture("orderPlaced", orderBody(12), {
    at: minute(9),
    visit: first.envelope.id,
    store: "S-1",
    place: fixAt(here.lat, here.lon + 0.0003),
  });
  assert.deepEqual(
    flagsOf([lonely, first]).map(({ id }) => id),
    [first.envelope.id],
  );
  assert.deepEqual(
    flagsOf([lonely, first, second]).map(({ id }) => id),
    [lonely.envelope.id],
  );
});

test("a flight to Sabah is no impossible travel", () => {
  const p = phone();
  const west = p.capture("attendanceStarted", { odometerKm: null }, { at: minute(0), place: fixAt(2.74, 101.7) });
  const east = p.capture("attendanceEnded", { odometerKm: null }, { at: minute(170), place: fixAt(5.93, 116.05) });
  assert.deepEqual(flagsOf([west, east]), []);
});

test("a forgotten check-out is no contradiction, a visit that goes on while another was begun elsewhere is one", () => {
  const goesOn = phone("a");
  const one = goesOn.capture("checkIn", { plan: null }, { at: minute(0), store: "S-1" });
  const two = goesOn.capture("checkIn", { plan: null }, { at: minute(30), store: "S-3" });
  const order = goesOn.capture("orderPlaced", orderBody(12), { at: minute(35), visit: one.envelope.id, store: "S-1" });
  const flags = flagsOf([one, two, order]);
  assert.deepEqual(
    flags.map(({ id, detector }) => [id, detector]),
    [[two.envelope.id, "contradictions"]],
  );
  const forgetful = phone("b");
  const first = forgetful.capture("checkIn", { plan: null }, { at: minute(0), store: "S-1" });
  const second = forgetful.capture("checkIn", { plan: null }, { at: minute(30), store: "S-3" });
  const late = forgetful.capture(
    "checkOut",
    { outcome: "ordered" },
    { at: minute(40), visit: first.envelope.id, store: "S-1" },
  );
  assert.deepEqual(flagsOf([first, second, late]), []);
});

test("a check-out without a check-in and a visit on a day of leave are told", () => {
  const p = phone();
  const leave = p.capture(
    "leaveTaken",
    { from: "2026-11-24", to: "2026-11-24", type: "annual", note: "" },
    { at: minute(0) },
  );
  const visit = p.capture("checkIn", { plan: null }, { at: minute(30), store: "S-1" });
  const stray = p.capture(
    "checkOut",
    { outcome: "ordered" },
    { at: minute(40), visit: uuid("no such visit"), store: "S-1" },
  );
  const flags = flagsOf([leave, visit, stray]);
  assert.deepEqual(flags.map(({ id }) => id).toSorted(), [visit.envelope.id, stray.envelope.id].toSorted());
});

test("a long delay is told once for its day, measured by what is usual for this person, Sundays not counted", () => {
  const p = phone();
  const usual = [2, 3, 4, 5, 6, 7].map((n) => ({
    ...p.capture("attendanceStarted", { odometerKm: null }, { at: day(n) }),
    received: day(n, 500),
  }));
  // Saturday 7 November, arrived on Monday: 47 hours on the calendar, 23 without the Sunday.
  const weekend = { ...p.capture("attendanceEnded", { odometerKm: null }, { at: day(7, 60) }), received: day(9) };
  const late = [0, 10].map((n) => ({
    ...p.capture("attendanceStarted", { odometerKm: null }, { at: day(10, n) }),
    received: day(13),
  }));
  const flags = flagsOf([...usual, weekend, ...late]).filter(({ detector }) => detector === "sync-delay");
  assert.deepEqual(
    flags.map(({ id }) => id),
    [late[0]?.envelope.id],
  );
  assert.match(flags[0]?.sentence ?? "", /Took 3 d/);
});

test("the same picture again in another visit is found, by its bytes or by how it looks; a retake in one visit is not", () => {
  const dhash = "0f".repeat(32);
  const near = `1f${"0f".repeat(31)}`;
  const body = (sha: string, look: string) => ({
    sha256: sha.repeat(64),
    bytes: 300_000,
    type: "image/jpeg" as const,
    width: 1_600,
    height: 1_200,
    dhash: look,
    purpose: "shelf" as const,
  });
  const p = phone();
  const photo = (sha: string, look: string, visit: string, store: string, n: number) =>
    p.capture("photoCaptured", body(sha, look), { at: day(n), visit: uuid(visit), store });
  const first = photo("a", dhash, "v1", "S-1", 1);
  const retake = photo("b", near, "v1", "S-1", 1);
  const copy = photo("a", dhash, "v2", "S-2", 2);
  const alike = photo("c", near, "v3", "S-1", 3);
  const other = photo("d", "3c".repeat(32), "v4", "S-1", 4);
  const flags = flagsOf([first, retake, copy, alike, other]);
  assert.deepEqual(
    new Set(flags.map(({ id, detector }) => `${id} ${detector}`)),
    new Set([
      `${copy.envelope.id} photo-copy`,
      `${copy.envelope.id} photo-reuse-rep`,
      `${alike.envelope.id} photo-reuse-store`,
      `${alike.envelope.id} photo-reuse-rep`,
    ]),
  );
});

test("a clock moved back within a boot is told, and the times are taken from the running counter", () => {
  const p = phone();
  const honest = [0, 10, 20].map((n) =>
    p.capture("attendanceStarted", { odometerKm: null }, { at: minute(n), place: fixAt(here.lat, here.lon) }),
  );
  const tick = Date.parse(minute(30)) - Date.UTC(2026, 10, 1);
  const wrong = new Date(Date.parse(minute(30)) - 26 * 3_600_000).toISOString();
  const moved = {
    ...p.capture(
      "attendanceEnded",
      { odometerKm: null },
      { at: wrong, wall: wrong, tick, place: fixAt(here.lat, here.lon) },
    ),
    received: minute(40),
  };
  const flags = flagsOf([...honest, moved]);
  assert.deepEqual(
    flags.map(({ id, detector }) => [id, detector]),
    [[moved.envelope.id, "clock-jump"]],
  );
  assert.match(flags[0]?.sentence ?? "", /moved back 26 h/);
});

test("an order twenty times what the store orders is held for a question, and does not change what is usual", () => {
  const p = phone();
  const usual = Array.from({ length: 10 }, (_, n) =>
    p.capture("orderPlaced", orderBody(25 + (n % 4)), { at: day(n + 1), store: "S-1", visit: uuid(`v${n}`) }),
  );
  const slip = p.capture("orderPlaced", orderBody(2_600), { at: day(12), store: "S-1", visit: uuid("slip") });
  const again = p.capture("orderPlaced", orderBody(2_600), { at: day(13), store: "S-1", visit: uuid("again") });
  const after = p.capture("orderPlaced", orderBody(27), { at: day(14), store: "S-1", visit: uuid("after") });
  const flags = flagsOf([...usual, slip, again, after]);
  assert.deepEqual(
    flags.map(({ id, detector, consequence }) => `${id} ${detector} ${consequence}`).toSorted(),
    [slip, again].map(({ envelope }) => `${envelope.id} unusual-order hold-order`).toSorted(),
  );
});
