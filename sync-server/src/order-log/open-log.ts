import type { Head } from "../database/head-file.ts";
import type { Transaction } from "../database/transaction.ts";
import { closeInvitations, restoreRevocations } from "../devices/operations.ts";
import { openLife, startLife, type OutsideHead } from "./life.ts";
import { sqliteTransaction } from "./sqlite-transaction.ts";

export interface OpenLogInput {
  /** Whose log it is: noted by the first opening. Whoever opens it later compares it before (`ownerOf`). */
  readonly workspace: string;
  /** 16 hexadecimal digits, of their own for each opening. */
  readonly nonce: string;
  /** A relay starts to work on it; else a command does. */
  readonly relayStarts: boolean;
  /** What stands outside the data folder; null or absent where nothing does. */
  readonly head?: Head | null;
}

/** Opens the log and answers its term; a head that knows more than the data folder begins a new one. */
export function openLog(tx: Transaction, { workspace, nonce, relayStarts, head }: OpenLogInput): string {
  tx.sql("insert into log_workspace (id) select ? where not exists (select 1 from log_workspace)").run(workspace);
  const log = sqliteTransaction(tx);
  if (head !== undefined && head !== null) restoreRevocations(tx, head.revoked);
  const { raised } = openLife(log, nonce, head === undefined || head === null ? null : outsideOf(tx, head));
  if (raised) closeInvitations(tx);
  if (relayStarts) startLife(log, nonce);
  return log.term;
}

/** Where trail or documents came back shorter, no life of the log is the promised one. */
function outsideOf(tx: Transaction, head: Head): OutsideHead {
  const { known, began, term, start, log: size } = head;
  const isBehind = head.trail > next(tx, "trail") || head.documents > next(tx, "change");
  const promise = { kind: "promise", term, size, start: isBehind ? "lost" : start } as const;
  return { known, began, promise: size > 0 ? promise : null };
}

function next(tx: Transaction, table: "trail" | "change"): number {
  return (tx.sql(`select coalesce(max(position) + 1, 0) as head from ${table}`).get() as { head: number }).head;
}
