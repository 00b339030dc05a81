import type { Tip } from "@sampai/engine/wire";
import type { Transaction } from "../database/transaction.ts";

// What the relay knows of one device, as an answer to its claim.

/** Every placed event of this device that no placed event of it follows. */
export function tipsOf(tx: Pick<Transaction, "sql">, device: string): Tip[] {
  return tx.sql("select run, seq, hash from tip where device = ? order by run, seq").all(device) as unknown as Tip[];
}

/** What is needed before everything held and expected can be placed. */
export function wantsOf(tx: Transaction, device: string): string[] {
  const rows = tx
    .sql(
      `select hash from (
           select want as hash from held where device = ?1
           union select hash from expected where device = ?1) as needed
         where not exists (select 1 from held where device = ?1 and hash = needed.hash)
           and not exists (select 1 from hole where device = ?1 and hash = needed.hash)
           and not exists (select 1 from log where device = ?1 and hash = needed.hash and type = 'event')
           and not exists (select 1 from quarantine where device = ?1 and hash = needed.hash)`,
    )
    .all(device) as { hash: string }[];
  return rows.map(({ hash }) => hash);
}

/** Declared holes that nothing has filled. */
export function openHolesOf(tx: Transaction, device: string): string[] {
  const rows = tx.sql("select hash from hole where device = ? and filled is null").all(device) as { hash: string }[];
  return rows.map(({ hash }) => hash);
}
