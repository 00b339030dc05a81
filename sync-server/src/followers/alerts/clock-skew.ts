import { durationWords } from "../../anomalies/words.ts";
import type { Condition, Watch } from "./watch.ts";

const SKEW_MS = 5 * 60_000;

/** A phone whose time was off at its last contact: what it dates is re-dated only where its counter allows. */
export const clockSkew: Watch = {
  name: "clock-skew",
  look: ({ db, debts }) => {
    const last = db.prepare("select at, ahead_ms from contact_seen where device = ? order by position desc limit 1");
    return debts.flatMap(({ device, person, revokedAt }): Condition[] => {
      const contact = last.get(device) as { at: string; ahead_ms: number | null } | undefined;
      if (revokedAt !== null || contact?.ahead_ms == null || Math.abs(contact.ahead_ms) <= SKEW_MS) return [];
      const way = contact.ahead_ms > 0 ? "ahead" : "behind";
      const reason = `${person}'s phone was ${durationWords(contact.ahead_ms)} ${way} at its last contact.`;
      return [
        { subject: device, rep: person, reason, evidence: { device, aheadMs: contact.ahead_ms, at: contact.at } },
      ];
    });
  },
};
