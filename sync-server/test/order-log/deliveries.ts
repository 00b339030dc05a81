import { sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import fc from "fast-check";
import type { PlacedCandidate } from "../../src/order-log/admit.ts";

/** Events of several runs as a tree: each follows one made before it, so clones and restored backups are in it too. */
const tree = fc
  .array(fc.record({ parent: fc.nat(), sameRun: fc.boolean() }), { minLength: 1, maxLength: 14 })
  .map((shapes) => {
    const events: PlacedCandidate[] = [];
    for (const [index, { parent, sameRun }] of shapes.entries()) {
      const before = index === 0 ? undefined : events[parent % index];
      const run = before !== undefined && sameRun ? before.run : index.toString(16).padStart(16, "0");
      const seq = before !== undefined && sameRun ? before.seq + 1 : 1;
      const hash = sha256Hex(utf8ToBytes(`event ${index}`));
      events.push({ run, seq, prev: before?.hash ?? null, hash, bytes: utf8ToBytes(`event ${index}`) });
    }
    return events;
  });

/** Those events in some order, some of them several times; `missing` names one that may be left out. */
export const deliveries = tree.chain((events) =>
  fc.record({
    events: fc.constant(events),
    // Every event at least once, some again, in any order.
    order: fc.array(fc.nat({ max: events.length - 1 }), { maxLength: 10 }).chain((again) =>
      fc.shuffledSubarray([...events.keys(), ...again.map((index) => index)], {
        minLength: events.length + again.length,
      }),
    ),
    missing: fc.option(fc.nat({ max: events.length - 1 }), { nil: null }),
  }),
);
