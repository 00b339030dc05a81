import { sha256Hex } from "@sampai/engine/core";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PlacedCandidate } from "../../src/order-log/admit.ts";
import { appendBatch, declareHole } from "../../src/order-log/append-batch.ts";
import { takeTips } from "../../src/order-log/claim.ts";
import { deliveries } from "./deliveries.ts";
import { transactionPlaces, type TransactionPlace } from "./transaction-places.ts";

function receive(open: () => TransactionPlace, events: readonly PlacedCandidate[], order: readonly number[]) {
  const place = open();
  const { transaction } = place;
  for (const index of order) {
    appendBatch(transaction, { device: "d1", events: [events[index] as PlacedCandidate], via: "websocket" });
  }
  return { place, transaction, device: transaction.device("d1") };
}

for (const [where, open] of transactionPlaces) {
  test(`${where}, in whatever order and however often events come, each is placed once and after the one it follows`, () => {
    fc.assert(
      fc.property(deliveries, ({ events, order }) => {
        const { place, device } = receive(open, events, order);
        const placed = place.leaves().map(({ hash }) => hash);
        assert.deepEqual([...placed].sort(), events.map(({ hash }) => hash).sort());
        for (const { hash, prev } of events) {
          if (prev !== null) assert.ok(placed.indexOf(prev) < placed.indexOf(hash));
        }
        assert.deepEqual(device.wants(), []);
        const ends = events.filter(({ hash }) => events.every(({ prev }) => prev !== hash));
        assert.deepEqual(
          device
            .tips()
            .map(({ hash }) => hash)
            .sort(),
          ends.map(({ hash }) => hash).sort(),
        );
      }),
      { seed: 20_261_123, numRuns: 150 },
    );
  });

  test(`${where}, what the relay wants is exactly what keeps the held events from their places`, () => {
    fc.assert(
      fc.property(deliveries, ({ events, order, missing }) => {
        const { place, transaction, device } = receive(
          open,
          events,
          order.filter((index) => index !== missing),
        );
        const lost = missing === null ? undefined : events[missing];
        const waited = lost === undefined ? false : events.some(({ prev }) => prev === lost.hash);
        assert.deepEqual(device.wants(), waited ? [lost?.hash] : []);
        if (lost === undefined) return;
        declareHole(transaction, { device: "d1", run: lost.run, seq: lost.seq, hash: lost.hash });
        assert.deepEqual(device.wants(), []);
        assert.equal(place.leaves().filter(({ hole }) => !hole).length, events.length - 1);
      }),
      { seed: 20_261_124, numRuns: 150 },
    );
  });

  test(`${where}, a device that lost events gets back all that no named tip covers, parents first, and a whole one gets nothing`, () => {
    fc.assert(
      fc.property(deliveries, fc.nat(), ({ events, order }, cut) => {
        const { device } = receive(open, events, order);
        const tipsOfRuns = (held: readonly PlacedCandidate[]) =>
          // As a phone claims them: the ends of its chains, and the last event of every run.
          held.filter(
            ({ hash, run, seq }) =>
              held.every(({ prev }) => prev !== hash) || held.every((other) => other.run !== run || other.seq <= seq),
          );
        assert.deepEqual(takeTips(device, tipsOfRuns(events)).give, []);
        const kept = events.slice(0, cut % (events.length + 1));
        const given = takeTips(device, tipsOfRuns(kept)).give.map(({ bytes }) => sha256Hex(bytes));
        const keptHashes = new Set(kept.map(({ hash }) => hash));
        const lost = events.filter(({ hash }) => !keptHashes.has(hash));
        for (const { hash } of lost) assert.ok(given.includes(hash), "a lost event was not given back");
        for (const [index, hash] of given.entries()) {
          const prev = events.find((event) => event.hash === hash)?.prev ?? null;
          if (prev !== null && given.includes(prev)) assert.ok(given.indexOf(prev) < index);
        }
      }),
      { seed: 20_261_125, numRuns: 150 },
    );
  });
}
