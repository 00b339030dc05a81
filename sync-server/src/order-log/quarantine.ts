import type { Transaction } from "../database/transaction.ts";
import { admit, type PlacedCandidate } from "./admit.ts";
import { createAdmissionState } from "./state.ts";

/** Admits what lies in quarantine and belongs to devices that are known and not revoked (any more). */
export function rejudgeQuarantine(tx: Transaction, term: string): void {
  const rows = tx
    .sql(
      `select quarantine.device, quarantine.run, quarantine.seq, quarantine.prev, quarantine.hash, quarantine.bytes,
              quarantine.signature
         from quarantine join device on device.device = quarantine.device and device.revoked is null
         order by quarantine.device, quarantine.received, quarantine.run, quarantine.seq`,
    )
    .all() as unknown as (PlacedCandidate & { device: string })[];
  for (const [device, events] of Map.groupBy(rows, (row) => row.device)) {
    const state = createAdmissionState(tx, device, term, { via: "quarantine", hashes: new Set(events.map(hashOf)) });
    for (const event of events) {
      tx.sql("delete from quarantine where device = ? and hash = ?").run(device, event.hash);
      admit(state, event, false);
    }
  }
}

const hashOf = ({ hash }: PlacedCandidate) => hash;
