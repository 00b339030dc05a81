import { createHash } from "node:crypto";
import type { Head } from "../database/head-file.ts";
import type { Transaction } from "../database/transaction.ts";
import { restoreRevocations } from "../devices/operations.ts";
import { rejudgeQuarantine } from "./append-batch.ts";
import { weigh } from "./evidence.ts";
import { appendLeaf, currentTerm } from "./leaves.ts";
import { sqliteTransaction } from "./sqlite-transaction.ts";
import { noteBeginning, noteKnownSize } from "./terms.ts";

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

/**
 * Opens the log and answers its term, which the very first opening makes, together with whose log it is; a head that
 * knows more than the log begins a new one. The start of a relay leaves a leaf with its nonce, so that two lives of one
 * relay never look the same, and judges the quarantine again.
 */
export function openLog(tx: Transaction, input: OpenLogInput): string {
  const { workspace, nonce, relayStarts, head } = input;
  tx.sql("insert into log_workspace (id) select ? where not exists (select 1 from log_workspace)").run(workspace);
  tx.sql("insert into term (number, id, started) select 1, ?, ? where not exists (select 1 from term)").run(
    `1:${nonce}`,
    tx.now,
  );
  if (head !== undefined && head !== null) mergeHead(tx, head, nonce);
  const term = currentTerm(tx);
  if (!relayStarts) return term;
  const hash = createHash("sha256").update(`sampai.start.v1\n${term}\n${nonce}`).digest("hex");
  const place = { device: "", run: nonce, seq: 0, hash, prev: null, id: null };
  appendLeaf(tx, term, { type: "start", ...place, flags: [], bytes: new Uint8Array() });
  tx.note({ topic: "relay.started", device: null, item: null, detail: { term, nonce } });
  rejudgeQuarantine(sqliteTransaction(tx));
  return term;
}

/** What the head file knows that this log does not: then the data folder is an older copy. */
function mergeHead(tx: Transaction, head: Head, nonce: string): void {
  for (const [term, size] of head.known) noteKnownSize(tx, term, size);
  for (const [term, position] of head.began) noteBeginning(tx, term, position);
  restoreRevocations(tx, head.revoked);
  const { term, start, log: size } = head;
  const behind =
    head.trail > next(tx, "trail") || head.documents > next(tx, "change")
      ? { start: "lost", size: head.log }
      : { start, size };
  if (size > 0) weigh(tx, { kind: "promise", term, ...behind }, nonce, "head");
}

function next(tx: Transaction, table: "trail" | "change"): number {
  return (tx.sql(`select coalesce(max(position) + 1, 0) as head from ${table}`).get() as { head: number }).head;
}
