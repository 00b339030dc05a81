import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PlacedCandidate } from "../../src/order-log/admit.ts";
import { appendBatch, declareHole } from "../../src/order-log/append-batch.ts";
import { sqliteTransaction } from "../../src/order-log/sqlite-transaction.ts";
import { tables } from "../../src/order-log/tables.ts";
import { createDatabaseDevice } from "./database-device.ts";
import { deliveries } from "./deliveries.ts";

/** What a device's log comes to, and what the relay says of it. */
function standing({ tx, device, log }: ReturnType<typeof createDatabaseDevice>) {
  const own = sqliteTransaction(tx).device(device);
  return { log: log(), tips: own.tips(), wants: own.wants(), holes: own.openHoles(), held: own.heldCount() };
}

test("what the writer remembers of a device never changes where an event goes", () => {
  const steps = deliveries.chain(({ events, order }) =>
    fc.record({
      events: fc.constant(events),
      steps: fc.constant(order),
      // At some steps the event is declared a hole before it comes, or the writer starts again and knows nothing.
      lost: fc.array(fc.boolean(), { minLength: order.length, maxLength: order.length }),
      starts: fc.array(fc.boolean(), { minLength: order.length, maxLength: order.length }),
    }),
  );
  fc.assert(
    fc.property(steps, ({ events, steps, lost, starts }) => {
      const remembers = createDatabaseDevice();
      const forgets = createDatabaseDevice();
      for (const [at, index] of steps.entries()) {
        const event = events[index] as PlacedCandidate;
        if (starts[at] === true) forgets.forget();
        for (const { tx, device } of [remembers, forgets]) {
          const transaction = sqliteTransaction(tx);
          if (lost[at] === true) declareHole(transaction, { device, ...event });
          appendBatch(transaction, { device, events: [event], via: "websocket" });
        }
      }
      assert.deepEqual(standing(remembers), standing(forgets));
    }),
    { seed: 20_261_128, numRuns: 300 },
  );
});

test("a log that found followers by an index knows which holes are followed when it is opened again", () => {
  const { db, tx, device } = createDatabaseDevice();
  const lost = { run: "0".repeat(16), seq: 1, hash: "a".repeat(64) };
  const next = { run: lost.run, seq: 2, prev: lost.hash, hash: "b".repeat(64), bytes: new Uint8Array([1]) };
  const transaction = sqliteTransaction(tx);
  declareHole(transaction, { device, ...lost });
  declareHole(transaction, { device, run: lost.run, seq: 9, hash: "c".repeat(64) });
  appendBatch(transaction, { device, events: [next], via: "websocket" });
  db.exec("delete from followed_hole; create index log_prev on log (device, prev) where type = 'event'");
  db.exec(tables);
  assert.equal(transaction.device(device).isFollowed(lost.hash), true);
  assert.equal(transaction.device(device).isFollowed("c".repeat(64)), false);
  assert.equal(db.prepare("select 1 from sqlite_master where name = 'log_prev'").get(), undefined);
});
