import type { Claim } from "@sampai/engine/wire";
import type { Transaction } from "../database/transaction.ts";

/** Keeps the attempts that a phone ships with its claim, each once. */
export function storeAttempts(tx: Transaction, device: string, claim: Claim): void {
  const insert = tx.sql(
    `insert or ignore into phone_attempt
       (device, number, at, lane, run, from_seq, to_seq, item, bytes, outcome, code, took_ms)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const attempt of claim.attempts) {
    const { number, at, lane, bytes, outcome, tookMs } = attempt;
    const { run = null, from = null, to = null, item = null, code = null } = attempt;
    insert.run(device, number, at, lane, run, from, to, item, bytes, outcome, code, tookMs);
  }
}
