import { offsetMinutes } from "@sampai/engine/core";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createAlertDesk } from "../../src/followers/alerts/desk.ts";
import { watches } from "../../src/followers/alerts/index.ts";
import type { Watch, WatchWorld } from "../../src/followers/alerts/watch.ts";
import { workedMs, workStartMs, WORKING_DAY_MS } from "../../src/followers/alerts/working-time.ts";
import { readDebts } from "../../src/followers/debts.ts";
import type { Masters } from "../../src/followers/masters.ts";
import { orderBody, uuid, type FieldPhone } from "./field-phone.ts";
import { clockAt, follow, openRelayFolder, tipOf, zoneAtTen, type RelayFolder } from "./relay-folder.ts";
import { stillMasters } from "./still-masters.ts";

const zone = zoneAtTen();
const start = Date.now();
const clock = clockAt(start);
const HOUR_MS = 3_600_000;
const at = (hours: number) => new Date(start + hours * HOUR_MS).toISOString();
const dayOf = (ms: number) => new Date(ms + offsetMinutes(ms, zone) * 60_000).toISOString().slice(0, 10);
const day = dayOf(start);
const emptyQueue = { events: 0, orders: 0, oldestAt: null, documents: 0, photos: 0, photoBytes: 0 };
const disk = { freeBytes: 50e9, totalBytes: 100e9 };

let folder: RelayFolder;
let ali: FieldPhone;
let siti: FieldPhone;
const told = {
  devices: { ali: "R001", siti: "R002" },
  stops: {
    [day]: [
      { rep: "R001", store: "S-1", plan: "p1" },
      { rep: "R002", store: "S-2", plan: "p2" },
    ],
  },
};

before(async () => {
  folder = await openRelayFolder();
  ali = await folder.enrol("ali", "R001");
  siti = await folder.enrol("siti", "R002");
});
after(() => folder.close());

function watching(
  change: Partial<WatchWorld> = {},
  masters: Masters = stillMasters(told),
  only: readonly Watch[] = watches,
) {
  const followed = follow(folder, { clock, zone, masters });
  const desk = createAlertDesk(followed.db, followed.notes, only);
  return {
    ...followed,
    look: () => {
      followed.run();
      desk.look({
        db: followed.db,
        relay: folder.relay,
        masters,
        debts: readDebts(folder.relay, followed.db),
        connected: new Map(),
        followers: followed.runner.status(),
        disk,
        nowMs: clock.wallMs(),
        zone,
        ...change,
      });
      return desk.standing(clock.wallMs());
    },
    standing: () => desk.standing(clock.wallMs()),
    /** What waits for the trail is written there, as the relay's process does it. */
    deliver: async () => {
      const notes = followed.notes.next(100);
      await folder.writer.run("note", { rows: notes.map(({ row }) => row) });
      followed.notes.written(notes.at(-1)?.number ?? 0);
      return notes.map(({ row }) => `${row.item} ${String(row.detail["action"])}`);
    },
  };
}

test("silence against the plan is raised once, stands while it lasts, and is cleared when the phone is heard", async () => {
  await folder.claim(ali, null);
  await folder.claim(siti, null);
  clock.set(start);
  const room = watching(
    {},
    stillMasters({ ...told, stops: { [day]: told.stops[day]?.slice(0, 1) ?? [] } }),
    watches.filter(({ name }) => name === "silence"),
  );
  assert.deepEqual(room.look(), []);
  clock.set(start + 3 * HOUR_MS);
  const [alert, ...others] = room.look();
  assert.deepEqual(others, [], "R002 has no stop today: nobody expects to hear from them");
  assert.equal(alert?.alert, "silence:R001");
  assert.match(alert?.reason ?? "", /R001 was last heard 3 h ago; of 1 planned stop nothing is known/);
  room.look();
  assert.equal(room.standing().length, 1);
  const connected = watching(
    { connected: new Map([["ali", new Date(0).toISOString()]]) },
    undefined,
    watches.filter(({ name }) => name === "silence"),
  );
  assert.deepEqual(
    connected.look().map(({ subject }) => subject),
    ["R002"],
  );
  const toldToTrail = new Set(await connected.deliver());
  assert.deepEqual(toldToTrail, new Set(["silence:R001 raised", "silence:R001 cleared", "silence:R002 raised"]));
  assert.deepEqual(await connected.deliver(), [], "each is told once");
  clock.set(start);
  assert.deepEqual(connected.look(), []);
  await connected.deliver();
  room.db.close();
  connected.db.close();
});

test("leave, a holiday and the end of the day are no silence", async () => {
  const silence = watches.filter(({ name }) => name === "silence");
  clock.set(start + 3 * HOUR_MS);
  const holiday = stillMasters({
    ...told,
    packs: [{ number: 1, holidays: [{ date: day, name: "Deepavali" }] } as never],
  });
  const onHoliday = watching({}, holiday, silence);
  assert.deepEqual(onHoliday.look(), []);
  onHoliday.db.close();
  const leave = siti.capture("leaveTaken", { from: day, to: day, type: "annual", note: "" }, { at: at(-1) });
  await folder.append(siti, [leave]);
  const room = watching({}, undefined, silence);
  assert.deepEqual(
    room.look().map(({ subject }) => subject),
    ["R001"],
  );
  const begun = ali.capture("attendanceStarted", { odometerKm: null }, { at: at(-2) });
  const ended = ali.capture("attendanceEnded", { odometerKm: null }, { at: at(-1) });
  await folder.append(ali, [begun, ended]);
  assert.deepEqual(room.look(), []);
  room.db.close();
  clock.set(start);
});

test("a queue that does not drain is told: by the age of its oldest event, or because each contact finds more", async () => {
  const watch = watches.filter(({ name }) => name === "queue-growing");
  const events = Array.from({ length: 40 }, (_, n) =>
    ali.capture("orderPlaced", orderBody(n + 1), { at: at(-1), visit: uuid("v"), store: "S-1" }),
  );
  for (const depth of [2, 9, 20, 31]) {
    const queue = { ...emptyQueue, events: depth, orders: depth, oldestAt: at(-1) };
    await folder.claim(ali, tipOf(events[depth - 1] as never), { queue });
  }
  const room = watching({}, undefined, watch);
  assert.match(room.look()[0]?.reason ?? "", /R001's queue has grown at each of 3 contacts, from 2 to 31 events/);
  await folder.append(ali, events.slice(0, 31));
  assert.deepEqual(room.look(), [], "it drained");
  const queue = { ...emptyQueue, events: 1, orders: 1, oldestAt: at(-1) };
  await folder.claim(ali, tipOf(events[31] as never), { queue });
  clock.set(start + 4 * 24 * HOUR_MS);
  const [alert] = room.look();
  assert.match(alert?.reason ?? "", /R001's phone has held 1 events for up to/);
  clock.set(start);
  room.db.close();
});

test("a snooze is a row of the trail, so that it outlives whatever followers made", async () => {
  clock.set(start + 3 * HOUR_MS);
  const silence = watches.filter(({ name }) => name === "silence");
  await folder.append(ali, [ali.capture("attendanceStarted", { odometerKm: null }, { at: at(0) })].slice(1));
  const room = watching(
    {},
    stillMasters({ ...told, stops: { [day]: [{ rep: "R009", store: "S-1", plan: "p9" }] } }),
    silence,
  );
  assert.equal(room.look().find(({ subject }) => subject === "R009")?.snoozed, null);
  const detail = { action: "snoozed", until: at(5), by: "H001" };
  await folder.writer.run("note", { rows: [{ topic: "alert", device: null, item: "silence:R009", detail }] });
  assert.deepEqual(room.look().find(({ subject }) => subject === "R009")?.snoozed, { until: at(5), by: "H001" });
  clock.set(start + 6 * HOUR_MS);
  assert.equal(room.standing().find(({ subject }) => subject === "R009")?.snoozed ?? null, null);
  clock.set(start);
  room.db.close();
});

test("refusals in a burst, a wrong clock, a stuck follower and a full disk each raise their alert with evidence", async () => {
  const rows = Array.from({ length: 12 }, () => ({
    topic: "refusal" as const,
    device: "ali",
    item: null,
    detail: { code: "change.field" },
  }));
  await folder.writer.run("note", { rows });
  await folder.claim(siti, null, { at: at(26) });
  const room = watching({
    disk: { freeBytes: 100, totalBytes: 1_000 },
    followers: [
      { name: "judge", stream: "log", position: 481, behind: 3, failures: 2, failingSince: at(0), error: "Error: no" },
    ],
  });
  const alerts = new Map(room.look().map((alert) => [alert.watch, alert]));
  assert.match(alerts.get("refusal-spike")?.reason ?? "", /12 refusals change\.field in the last hour, from 1 device/);
  assert.match(alerts.get("clock-skew")?.reason ?? "", /R002's phone was 26 h ahead/);
  assert.equal(alerts.get("follower-stuck")?.reason, "judge stands at log #481, 3 behind: Error: no");
  assert.ok(alerts.has("disk"));
  room.db.close();
});

test("photos that HQ was promised are counted until their originals are here", async () => {
  const photos = Array.from({ length: 20 }, (_, n) => uuid(`photo ${n}`));
  const photosOwed = photos.map((id) => ({ id, visit: null, sha256: "a".repeat(64), bytes: 1_000, preview: false }));
  await folder.claim(siti, null, { photosOwed, queue: { ...emptyQueue, photos: 20, photoBytes: 20_000_000 } });
  const room = watching(
    {},
    undefined,
    watches.filter(({ name }) => name === "photo-debt"),
  );
  assert.match(room.look()[0]?.reason ?? "", /R002's phone owes 20 photos \(20\.0 MB/);
  const arrived = (part: string) =>
    folder.writer.run("note", {
      rows: photos.map((item) => ({ topic: "photo.arrived" as const, device: "siti", item, detail: { part } })),
    });
  await arrived("preview");
  assert.equal(room.look().length, 1);
  await arrived("original");
  assert.deepEqual(room.look(), []);
  room.db.close();
});

test("a watch that throws is told of, and takes no other alert with it", () => {
  const broken: Watch = {
    name: "silence",
    look: () => {
      throw new Error("no such table");
    },
  };
  const room = watching({ disk: { freeBytes: 100, totalBytes: 1_000 } }, undefined, [
    broken,
    ...watches.filter(({ name }) => name === "disk"),
  ]);
  assert.deepEqual(
    new Set(
      room
        .look()
        .map(({ watch }) => watch)
        .filter((watch) => watch !== "refusal-spike"),
    ),
    new Set([...new Set(room.standing().map(({ watch }) => watch))].filter((watch) => watch !== "refusal-spike")),
  );
  assert.ok(room.standing().some(({ alert }) => alert === "watch-broken:silence"));
  assert.ok(room.standing().some(({ watch }) => watch === "disk"));
  room.db.close();
});

test("working time knows nights, Sundays and holidays", () => {
  const kl = "Asia/Kuala_Lumpur";
  const saturday = Date.parse("2026-11-21T09:00:00Z");
  const monday = Date.parse("2026-11-23T01:00:00Z");
  assert.equal(workedMs(saturday, monday, kl, new Set()), 2 * HOUR_MS);
  assert.equal(workedMs(saturday, monday, kl, new Set(["2026-11-21"])), 1 * HOUR_MS);
  assert.equal(workStartMs(monday, kl), Date.parse("2026-11-23T00:00:00Z"));
  assert.equal(workedMs(monday, monday + 24 * HOUR_MS, kl, new Set()), WORKING_DAY_MS);
});
