import { dayIn, msFromUtc, utcFromMs } from "@sampai/engine/core";
import { durationWords } from "../../anomalies/words.ts";
import { SILENT_MS } from "../../boards/completeness.ts";
import { expectedToday } from "../expected.ts";
import type { Condition, Watch } from "./watch.ts";
import { workStartMs } from "./working-time.ts";

/**
 * Somebody should be at work by the plan, and nothing is heard: no claim, no event, no connection. It says what HQ does
 * not know; it does not say that nobody worked.
 */
export const silence: Watch = {
  name: "silence",
  look: ({ db, debts, masters, connected, nowMs, zone }) => {
    const startMs = workStartMs(nowMs, zone);
    const ofPerson = Map.groupBy(debts, ({ person }) => person);
    return [...expectedToday(db, masters, dayIn(nowMs, zone))].flatMap(([rep, expected]): Condition[] => {
      if (!expected.isExpected) return [];
      const devices = (ofPerson.get(rep) ?? []).filter(({ revokedAt }) => revokedAt === null);
      if (devices.some(({ device }) => connected.has(device))) return [];
      const heardMs = Math.max(...devices.map(({ heardAt }) => (heardAt === null ? -Infinity : msFromUtc(heardAt))));
      const sinceMs = Math.max(heardMs, startMs);
      if (nowMs - sinceMs <= SILENT_MS) return [];
      const owed = devices.reduce((sum, { events }) => sum + (events ?? 0), 0);
      const stops = expected.unvisited.length;
      const heardAt = heardMs === -Infinity ? null : utcFromMs(heardMs);
      const last = heardAt === null ? "has never been heard" : `was last heard ${durationWords(nowMs - heardMs)} ago`;
      const held = owed > 0 ? ` ${owed} events were on the phone then.` : "";
      return [
        {
          subject: rep,
          rep,
          reason: `${rep} ${last}; of ${stops} planned ${stops === 1 ? "stop" : "stops"} nothing is known.${held}`,
          evidence: {
            heardAt,
            stops: expected.unvisited.map(({ plan, store }) => ({ plan, store })),
            // Nobody can tell a stop that was not visited from one that was visited and is owed.
            stopsAre: "unknown",
            owedEvents: owed,
          },
        },
      ];
    });
  },
};
