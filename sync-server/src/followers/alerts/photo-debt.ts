import { utcFromMs } from "@sampai/engine/core";
import type { Condition, Watch } from "./watch.ts";

const MANY = 20;
const OLD_MS = 48 * 3_600_000;

/** Photos that HQ was promised and has not: many at once, or one whose event came days ago. */
export const photoDebt: Watch = {
  name: "photo-debt",
  look: ({ db, debts, nowMs }) => {
    const oldest = db.prepare(
      "select min(at) as at from device_photo where device = ? and id not in (select id from photo_here)",
    );
    return debts.flatMap(({ device, person, revokedAt, photos, claim }): Condition[] => {
      const { at } = oldest.get(device) as { at: string | null };
      const isOld = at !== null && at < utcFromMs(nowMs - OLD_MS);
      if (revokedAt !== null || (photos < MANY && !isOld)) return [];
      const size = claim === null ? "" : ` (${(claim.queue.photoBytes / 1_000_000).toFixed(1)} MB at its last contact)`;
      const reason = `${person}'s phone owes ${photos} ${photos === 1 ? "photo" : "photos"}${size}.`;
      return [{ subject: device, rep: person, reason, evidence: { device, photos, oldestPromisedAt: at } }];
    });
  },
};
