import { msFromUtc } from "@sampai/engine/core";
import { durationWords } from "../../anomalies/words.ts";
import type { Condition, Watch } from "./watch.ts";
import { WORKING_DAY_MS, workedMs } from "./working-time.ts";

/** Contacts in a row at which the queue was longer than at the one before, and by how much in all. */
const RISES = 3;
const RISE_EVENTS = 10;

/** A phone whose queue does not drain: its oldest fact waits for more than a working day, or each contact finds more. */
export const queueGrowing: Watch = {
  name: "queue-growing",
  look: ({ db, debts, masters, nowMs, zone }) => {
    const holidays = new Set(masters.newestPack()?.holidays.map(({ date }) => date));
    const depths = db.prepare("select at, events from contact_seen where device = ? order by position desc limit ?");
    return debts.flatMap((debt): Condition[] => {
      const { device, person, revokedAt, events, orders, oldestAt } = debt;
      if (revokedAt !== null || events === null || events === 0) return [];
      const evidence = { device, owedEvents: events, owedOrders: orders, oldestUnsentAt: oldestAt };
      if (oldestAt !== null && workedMs(msFromUtc(oldestAt), nowMs, zone, holidays) > WORKING_DAY_MS) {
        const age = durationWords(nowMs - msFromUtc(oldestAt));
        const reason = `${person}'s phone has held ${events} events for up to ${age}.`;
        return [{ subject: device, rep: person, reason, evidence }];
      }
      const contacts = (depths.all(device, RISES + 1) as { at: string; events: number }[]).toReversed();
      const first = contacts[0];
      const last = contacts.at(-1);
      if (first === undefined || last === undefined || contacts.length <= RISES) return [];
      const rises = contacts.every(
        ({ events: depth }, index) => index === 0 || depth > (contacts[index - 1]?.events ?? 0),
      );
      if (!rises || last.events - first.events < RISE_EVENTS) return [];
      const reason = `${person}'s queue has grown at each of ${RISES} contacts, from ${first.events} to ${last.events} events.`;
      return [{ subject: device, rep: person, reason, evidence: { ...evidence, contacts } }];
    });
  },
};
