import { dayIn, startOfDayMs, utcFromMs } from "@sampai/engine/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import { boundTimes, type TimedEvent } from "../../src/order-log/event-time.ts";

const ms = (utc: string) => Date.parse(utc);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Said {
  readonly at?: string;
  readonly wall: string;
  readonly received: string;
  readonly tick: number;
  readonly boot?: string;
  readonly anchor?: { tick: number; at: string };
}

const timed = ({ at, wall, received, tick, boot = "b", anchor }: Said): TimedEvent => ({
  atMs: ms(at ?? wall),
  receivedMs: ms(received),
  clock: {
    boot,
    tickMs: tick,
    wallMs: ms(wall),
    anchor: anchor === undefined ? null : { tickMs: anchor.tick, atMs: ms(anchor.at) },
  },
});
const bound = (events: readonly Said[], notBefore?: string) =>
  boundTimes(events.map(timed), notBefore === undefined ? undefined : ms(notBefore));

test("an event offline for 31 hours is bounded by the relay's time and the ticks since, not by its arrival", () => {
  const [time] = bound([
    {
      at: "2026-11-24T03:00:00.000Z",
      wall: "2026-11-24T03:00:00.000Z",
      received: "2026-11-25T10:00:00.000Z",
      tick: 3 * HOUR,
      anchor: { tick: 0, at: "2026-11-24T00:00:00.000Z" },
    },
  ]);
  assert.ok(time);
  assert.equal(utcFromMs(time.bestMs), "2026-11-24T03:00:00.000Z");
  assert.equal(time.evidence, "anchor");
  assert.ok(time.latestMs - time.earliestMs < 2 * MINUTE, `${time.latestMs - time.earliestMs} ms`);
  assert.equal(time.contradicted, false);
});

test("a phone with a clock of 2031 is placed by ticks where an anchor is known, by its arrival where none is", () => {
  const wrong = "2031-05-01T00:00:00.000Z";
  const received = "2026-11-25T10:00:00.000Z";
  const [alone] = bound([{ wall: wrong, received, tick: 5 }]);
  assert.equal(utcFromMs(alone?.bestMs ?? 0), received);
  const [before, after] = bound([
    { wall: wrong, received, tick: 0 },
    {
      at: "2026-11-25T08:00:00.000Z",
      wall: "2031-05-01T01:00:00.000Z",
      received,
      tick: HOUR,
      anchor: { tick: HOUR, at: "2026-11-25T08:00:00.000Z" },
    },
  ]);
  assert.ok(before && after);
  assert.equal(before.evidence, "ticks");
  assert.ok(Math.abs(before.earliestMs - ms("2026-11-25T07:00:00.000Z")) < 2 * MINUTE);
  assert.ok(before.latestMs <= ms("2026-11-25T07:01:30.000Z"), utcFromMs(before.latestMs));
  assert.ok(before.bestMs >= before.earliestMs && before.bestMs <= before.latestMs);
});

test("a phone with a clock of 1970 is placed by what is known: its enrolment, its neighbours, its arrival", () => {
  const received = "2026-11-25T10:00:00.000Z";
  const [time] = bound([{ wall: "1970-01-01T00:00:09.000Z", received, tick: 1 }], "2026-11-25T07:00:00.000Z");
  assert.ok(time);
  assert.equal(utcFromMs(time.earliestMs), "2026-11-25T07:00:00.000Z");
  assert.equal(utcFromMs(time.latestMs), received);
  assert.equal(utcFromMs(time.bestMs), received);
  const [, second] = bound([
    {
      at: "2026-11-25T09:00:00.000Z",
      wall: "1970-01-01T02:00:00.000Z",
      received,
      tick: 2 * HOUR,
      anchor: { tick: 2 * HOUR, at: "2026-11-25T09:00:00.000Z" },
    },
    { wall: "1970-01-01T02:30:00.000Z", received, tick: 2.5 * HOUR },
  ]);
  assert.ok(second);
  assert.ok(Math.abs(second.bestMs - ms("2026-11-25T09:30:00.000Z")) < 2 * MINUTE, utcFromMs(second.bestMs));
});

test("a wall clock that is moved inside a boot is detected, and the ticks keep the time", () => {
  const received = "2026-11-25T12:00:00.000Z";
  const anchor = { tick: 0, at: "2026-11-25T08:00:00.000Z" };
  const [, second, third] = bound([
    { wall: "2026-11-25T08:10:00.000Z", received, tick: 10 * MINUTE, anchor },
    {
      at: "2026-11-25T08:20:00.000Z",
      wall: "2026-11-25T05:20:00.000Z",
      received,
      tick: 20 * MINUTE,
      anchor,
    },
    {
      at: "2026-11-25T08:30:00.000Z",
      wall: "2026-11-25T05:30:00.000Z",
      received,
      tick: 30 * MINUTE,
      anchor,
    },
  ]);
  assert.equal(second?.jumpMs, -3 * HOUR);
  assert.equal(third?.jumpMs, null);
  assert.equal(utcFromMs(third?.bestMs ?? 0), "2026-11-25T08:30:00.000Z");
  assert.ok((third?.latestMs ?? 0) < ms("2026-11-25T08:32:00.000Z"));
});

test("a phone that slept while its ticks stood still is not said to be sure: the bounds reach to its wall clock", () => {
  const [time] = bound([
    {
      at: "2026-11-25T08:10:00.000Z",
      wall: "2026-11-25T11:10:00.000Z",
      received: "2026-11-25T12:00:00.000Z",
      tick: 10 * MINUTE,
      anchor: { tick: 0, at: "2026-11-25T08:00:00.000Z" },
    },
  ]);
  assert.ok(time);
  assert.ok(time.earliestMs <= ms("2026-11-25T08:10:00.000Z"));
  assert.ok(time.latestMs >= ms("2026-11-25T11:10:00.000Z"));
});

test("time goes on along a run across boots: an event lies between the ones before and after it", () => {
  const received = "2026-11-25T12:00:00.000Z";
  const [, middle] = bound([
    { wall: "2026-11-25T08:00:00.000Z", received, tick: 9, anchor: { tick: 9, at: "2026-11-25T08:00:00.000Z" } },
    { wall: "2026-11-20T00:00:00.000Z", received, tick: 1, boot: "second" },
    {
      wall: "2026-11-25T09:00:00.000Z",
      received,
      tick: 5,
      boot: "third",
      anchor: { tick: 5, at: "2026-11-25T09:00:00.000Z" },
    },
  ]);
  assert.ok(middle);
  assert.ok(middle.earliestMs >= ms("2026-11-25T07:59:59.000Z"));
  assert.ok(middle.latestMs <= ms("2026-11-25T09:01:01.000Z"));
  assert.equal(middle.bestMs, Math.round(middle.earliestMs));
});

test("an anchor that the relay cannot have given, and ticks that run backwards, are named as contradicted", () => {
  const received = "2026-11-25T12:00:00.000Z";
  const [lie] = bound([
    { wall: "2026-11-25T11:00:00.000Z", received, tick: 5, anchor: { tick: 5, at: "2026-12-24T00:00:00.000Z" } },
  ]);
  assert.equal(lie?.contradicted, true);
  assert.equal(utcFromMs(lie?.bestMs ?? 0), "2026-11-25T11:00:00.000Z");
  const [, back] = bound([
    { wall: "2026-11-25T11:00:00.000Z", received, tick: 50 },
    { wall: "2026-11-25T11:01:00.000Z", received, tick: 7 },
  ]);
  assert.equal(back?.contradicted, true);
});

test("ticks that no phone can have counted are named as contradicted, and every event still has its moment", () => {
  const said = { wall: "2026-11-25T11:00:00.000Z", received: "2026-11-25T12:00:00.000Z" };
  const times = bound([
    { ...said, tick: -1.797e308 },
    { ...said, tick: 0 },
    { ...said, tick: 1.797e308 },
  ]);
  assert.deepEqual(
    times.map(({ bestMs }) => utcFromMs(bestMs)),
    [said.wall, said.wall, said.wall],
  );
  assert.equal(times[2]?.contradicted, true);
});

test("whatever a phone says, earliest ≤ best ≤ latest ≤ arrival", () => {
  let state = 7;
  const below = (n: number) => (state = (state * 48_271) % 2_147_483_647) % n;
  for (let round = 0; round < 500; round += 1) {
    const events = Array.from({ length: 1 + below(8) }, (_, index) => ({
      atMs: below(20) === 0 ? Number.NaN : below(2_000_000_000) * 1_000,
      receivedMs: 1_764_000_000_000 + index * below(100_000),
      clock: {
        boot: `b${below(2)}`,
        tickMs: below(1_000_000),
        wallMs: below(2_000_000_000) * 1_000,
        anchor: below(2) === 0 ? null : { tickMs: below(1_000_000), atMs: 1_763_000_000_000 + below(2_000_000_000) },
      },
    }));
    for (const [index, time] of boundTimes(events, 1_760_000_000_000).entries()) {
      assert.ok(time.earliestMs <= time.bestMs + 1 && time.bestMs <= time.latestMs + 1, JSON.stringify([events, time]));
      assert.ok(time.latestMs <= (events[index] as TimedEvent).receivedMs);
    }
  }
});

test("days and months are cut in the workspace's zone, whatever zone the phone is in", () => {
  // A phone set to London writes UTC with `Z` like any other: its offset is data beside it.
  const lastOfMonth = ms("2026-11-30T15:59:59.999Z");
  assert.equal(dayIn(lastOfMonth, "Asia/Kuala_Lumpur"), "2026-11-30");
  assert.equal(dayIn(lastOfMonth + 1, "Asia/Kuala_Lumpur"), "2026-12-01");
  assert.equal(dayIn(lastOfMonth + 1, "Europe/London"), "2026-11-30");
  assert.equal(utcFromMs(startOfDayMs("2026-12-01", "Asia/Kuala_Lumpur")), "2026-11-30T16:00:00.000Z");
  assert.equal(utcFromMs(startOfDayMs("2027-01-01", "Asia/Kuala_Lumpur")), "2026-12-31T16:00:00.000Z");
});

test("a day is 23 or 25 hours long where the workspace's zone changes its clocks", () => {
  const hours = (day: string, next: string, zone: string) =>
    (startOfDayMs(next, zone) - startOfDayMs(day, zone)) / HOUR;
  assert.equal(hours("2026-03-29", "2026-03-30", "Europe/London"), 23);
  assert.equal(hours("2026-10-25", "2026-10-26", "Europe/London"), 25);
  assert.equal(hours("2026-03-08", "2026-03-09", "America/New_York"), 23);
  assert.equal(hours("2026-11-01", "2026-11-02", "America/New_York"), 25);
  assert.equal(hours("2026-11-25", "2026-11-26", "Asia/Kuala_Lumpur"), 24);
  assert.equal(dayIn(ms("2026-10-25T23:30:00.000Z"), "Europe/London"), "2026-10-25");
  assert.equal(dayIn(ms("2026-11-02T04:59:59.000Z"), "America/New_York"), "2026-11-01");
  // Cairo begins this day at one o'clock: its midnight does not exist.
  assert.equal(utcFromMs(startOfDayMs("2026-04-24", "Africa/Cairo")), "2026-04-23T22:00:00.000Z");
});
