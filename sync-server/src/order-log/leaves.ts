import type { Transaction } from "../database/transaction.ts";
import type { LeafFlag, LeafType } from "./log.ts";

export interface NewLeaf {
  readonly type: LeafType;
  readonly device: string;
  readonly run: string;
  readonly seq: number;
  readonly hash: string;
  readonly prev: string | null;
  readonly id: string | null;
  readonly flags: readonly LeafFlag[];
  readonly bytes: Uint8Array;
  readonly signature?: Uint8Array | null;
}

/** The next position of the order log, as the writer remembers it. */
const next = (tx: Pick<Transaction, "sql" | "remember">) =>
  tx.remember("log position", () => ({ position: headOf(tx) }));

export const nextPosition = (tx: Pick<Transaction, "sql" | "remember">): number => next(tx).position;

/** Appends a leaf to the order log and answers its position: gapless from 0. */
export function appendLeaf(tx: Transaction, term: string, leaf: NewLeaf): number {
  const position = nextPosition(tx);
  tx.sql(
    `insert into log (position, term, type, device, run, seq, hash, prev, id, received, flags, bytes, signature)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    position,
    term,
    leaf.type,
    leaf.device,
    leaf.run,
    leaf.seq,
    leaf.hash,
    leaf.prev,
    leaf.id,
    tx.now,
    leaf.flags.length === 0 ? "[]" : JSON.stringify(leaf.flags),
    leaf.bytes,
    leaf.signature ?? null,
  );
  next(tx).position += 1;
  return position;
}

/** The next position of the order log. */
export function headOf(tx: Pick<Transaction, "sql">): number {
  return (tx.sql("select coalesce(max(position) + 1, 0) as head from log").get() as { head: number }).head;
}

export function currentTerm(tx: Transaction): string {
  const row = tx.sql("select id from term order by number desc limit 1").get() as { id: string } | undefined;
  if (row === undefined) throw new Error("the log was not opened");
  return row.id;
}
