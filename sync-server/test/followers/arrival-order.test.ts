import assert from "node:assert/strict";
import { test } from "node:test";
import { detectors } from "../../src/anomalies/index.ts";
import { detect, logItem } from "./detection.ts";
import { createFieldPhone, fixAt, orderBody, uuid } from "./field-phone.ts";
import { fleetMasters, randomFleet, seededRandom, shuffled, type Arrived } from "./random-fleet.ts";

function inPages(events: readonly Arrived[], random: () => number) {
  const items = events.map((one, position) => logItem(position, one, one.received));
  const pages = [];
  for (let start = 0; start < items.length;) {
    const size = 1 + Math.floor(random() * 60);
    pages.push(items.slice(start, start + size));
    start += size;
  }
  return pages;
}

/** Devices find a signal in any order; what one device captured stays in its own order, as the log's admission sees to. */
function gapsRespected(events: readonly Arrived[], random: () => number): Arrived[] {
  const queues = new Map<string, Arrived[]>();
  for (const event of events) {
    const { device } = event.envelope;
    queues.set(device, [...(queues.get(device) ?? []), event]);
  }
  const order: Arrived[] = [];
  while (queues.size > 0) {
    const devices = [...queues.keys()];
    const device = devices[Math.floor(random() * devices.length)] as string;
    const queue = queues.get(device) as Arrived[];
    order.push(...queue.splice(0, 1 + Math.floor(random() * 20)));
    if (queue.length === 0) queues.delete(device);
  }
  return order;
}

test("the flags that stand at the end are the same for any order of arrival, any paging and any duplication", () => {
  const raised = new Set<string>();
  for (let seed = 1; seed <= 8; seed += 1) {
    const events = randomFleet(seed);
    const random = seededRandom(1_000 + seed);
    const expected = detect([events.map((one, position) => logItem(position, one, one.received))], fleetMasters);
    for (const { detector } of expected) raised.add(detector);
    const doubled = [...events, ...events.filter(() => random() < 0.05)];
    for (const order of [gapsRespected(events, random), shuffled(doubled, random), events.toReversed()]) {
      assert.deepEqual(detect(inPages(order, random), fleetMasters), expected, `seed ${seed}`);
    }
  }
  const silent = detectors.map(({ name }) => name).filter((name) => !raised.has(name));
  assert.deepEqual(silent, [], "every detector had something to find in these fleets");
});

test("a history of hundreds gives the same flags in whatever order and pages it comes", () => {
  const start = Date.UTC(2026, 10, 2, 1);
  const phones = ["R1", "R2"].map((rep) => createFieldPhone(`phone-${rep}`, rep));
  const events = Array.from({ length: 700 }, (_, n): Arrived => {
    const phone = phones[n % 2] as (typeof phones)[number];
    const at = new Date(start + n * 60_000).toISOString();
    const place = fixAt(2.7 + (n % 97 === 0 ? 0.05 : 0), 101.9, 10 + (n % 7));
    const options = { at, visit: uuid(`visit ${n}`), store: "S-0", place };
    const one =
      n % 3 === 0
        ? phone.capture("checkIn", { plan: null }, options)
        : phone.capture("orderPlaced", orderBody(n % 101 === 0 ? 900 : 10 + (n % 5)), options);
    return { ...one, received: new Date(start + 86_400_000).toISOString() };
  });
  const random = seededRandom(7);
  const expected = detect([events.map((one, position) => logItem(position, one, one.received))], fleetMasters);
  assert.ok(new Set(expected.map(({ detector }) => detector)).size > 1);
  for (const order of [events, events.toReversed(), gapsRespected(events, random)]) {
    assert.deepEqual(detect(inPages(order, random), fleetMasters), expected);
  }
});
