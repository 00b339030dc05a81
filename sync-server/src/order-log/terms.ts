import { createHash } from "node:crypto";
import type { Transaction } from "../database/transaction.ts";
import { appendLeaf, currentTerm, headOf } from "./leaves.ts";

export const termTables = `
-- One row for each term but the first: the log came back shorter than it was known to be.
create table if not exists new_term (
  term text primary key,
  number integer not null,
  -- Leaves of the log when it began, and the first position that may have been another leaf's before.
  restored integer not null,
  diverged integer not null,
  dead text not null,
  cause text not null,
  at text not null
) strict;
-- The largest log that was ever promised in a term.
create table if not exists known_size (
  term text primary key,
  size integer not null
) strict;
-- Where a term began that was raised: kept also when the log that held it is gone.
create table if not exists term_began (
  term text primary key,
  position integer not null
) strict;
-- What devices hold receipts for at positions that were lost.
create table if not exists voided (
  term text not null,
  position integer not null,
  hash text not null,
  device text not null,
  primary key (term, position, device)
) strict, without rowid;
create table if not exists verified_backup (
  term text not null,
  position integer not null,
  at text not null
) strict;
`;

/** `head`: the file beside the data folder. `claim`: a device's claim. */
export type TermCause = "head" | "claim";

export interface TermSpan {
  readonly term: string;
  readonly start: number;
  /** Receipts of this term hold before it: where the logs parted, or earlier than its last leaf here. Null: it goes on. */
  readonly end: number | null;
}

/** Every term of this log, oldest first. */
export function termSpans(tx: Pick<Transaction, "sql">): TermSpan[] {
  const rows = tx
    .sql(
      `select term.id as term, coalesce(new_term.restored, 0) as start, new_term.diverged
         from term left join new_term on new_term.term = term.id order by term.number`,
    )
    .all() as { term: string; start: number; diverged: number | null }[];
  return rows.map(({ term, start }, index) => ({ term, start, end: rows[index + 1]?.diverged ?? null }));
}

/** The number in a term's id. */
export const numberOf = (term: string): number => Number(/^(\d{1,9}):/.exec(term)?.[1] ?? 0);

/** Positions of a term that were promised once and are not kept, or may be others' now. */
export interface LostRange {
  readonly term: string;
  /** The term that took its place, when and why. */
  readonly next: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly cause: string;
  readonly from: number;
  /** The first position that was never promised. */
  readonly until: number;
}

/** What restores took away, for every term that was once larger than it is here; also for terms that are here no more. */
export function lostRanges(tx: Pick<Transaction, "sql">): LostRange[] {
  const raises = tx
    .sql("select term as next, number, diverged, dead, cause, at from new_term order by number")
    .all() as { next: string; number: number; diverged: number; dead: string; cause: string; at: string }[];
  const known = tx
    .sql(
      `select known_size.term, size, term.id is not null as here, coalesce(term_began.position, 0) as began from known_size
         left join term on term.id = known_size.term left join term_began on term_began.term = known_size.term`,
    )
    .all() as { term: string; size: number; here: number; began: number }[];
  return known
    .flatMap(({ term, size, here, began }) => {
      const by = raises.find(({ dead }) => dead === term) ?? raises.find(({ number }) => number > numberOf(term));
      if (by === undefined) return [];
      const { next, at, cause, diverged } = by;
      // Of a term that this log never had, only what lies before its beginning can be here.
      const from = here === 1 ? diverged : Math.min(diverged, began);
      return size <= from ? [] : [{ term, next, at, cause, from, until: size }];
    })
    .sort((a, b) => numberOf(a.term) - numberOf(b.term));
}

export function noteBeginning(tx: Transaction, term: string, position: number): void {
  tx.sql("insert or ignore into term_began (term, position) values (?, ?)").run(term, position);
}

/** Notes that the log of a term was once so large. */
export function noteKnownSize(tx: Transaction, term: string, size: number): void {
  tx.sql(
    `insert into known_size (term, size) values (?, ?)
       on conflict (term) do update set size = excluded.size where excluded.size > known_size.size`,
  ).run(term, size);
}

/**
 * Begins a new term: the log is shorter than it was promised to be. The record is a leaf of the log itself, and
 * invitations that were open in the backup are closed, because nobody knows whether they were used since.
 */
export function raiseTerm(
  tx: Transaction,
  nonce: string,
  evidence: { readonly term: string; readonly size: number; readonly proof: unknown },
  diverged: number,
  cause: TermCause,
): string {
  const restored = headOf(tx);
  const evidenced = (tx.sql("select term from known_size union select id from term").all() as { term: string }[]).map(
    ({ term }) => numberOf(term),
  );
  const number = 1 + Math.max(numberOf(evidence.term), ...evidenced);
  const term = `${number}:${nonce}`;
  tx.sql("insert into term (number, id, started) values (?, ?, ?)").run(number, term, tx.now);
  tx.sql("insert into new_term (term, number, restored, diverged, dead, cause, at) values (?, ?, ?, ?, ?, ?, ?)").run(
    term,
    number,
    restored,
    diverged,
    evidence.term,
    cause,
    tx.now,
  );
  noteBeginning(tx, term, diverged);
  const tree = tx.sql("select size, root from checkpoint order by size desc, at desc limit 1").get() as
    | { size: number; root: Uint8Array }
    | undefined;
  const record = {
    v: 1,
    term,
    restored: {
      size: restored,
      diverged,
      tree: tree === undefined ? null : { size: tree.size, root: Buffer.from(tree.root).toString("hex") },
    },
    evidence,
    cause,
  };
  const bytes = new TextEncoder().encode(JSON.stringify(record));
  const hash = createHash("sha256").update(bytes).digest("hex");
  const place = { device: "", run: nonce, seq: number, hash, prev: null, id: null };
  appendLeaf(tx, term, { type: "term", ...place, flags: [], bytes });
  tx.sql("update enrolment set used = ? where used is null").run(tx.now);
  const detail = { term, restored, diverged, dead: evidence.term, known: evidence.size, cause };
  tx.note({ topic: "term", device: null, item: term, detail });
  return term;
}

/** Whether this log has, or once had, this term: then evidence of it is old news. */
export function isOldTerm(tx: Transaction, term: string): boolean {
  if (term === currentTerm(tx)) return false;
  return (
    tx.sql("select 1 from term where id = ?").get(term) !== undefined ||
    tx.sql("select 1 from new_term where dead = ?").get(term) !== undefined
  );
}
