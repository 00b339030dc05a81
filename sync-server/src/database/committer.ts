import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { StopCode } from "../stop-reasons.ts";
import { nextPosition } from "../order-log/leaves.ts";
import { createTrailWriter } from "../trail/append.ts";
import type { TrailNote } from "../trail/trail.ts";
import { primaryCode, SQLITE_CONSTRAINT, SQLITE_FULL } from "./sqlite-codes.ts";
import { operations, tables, type OperationName } from "./operations.ts";
import type { Transaction } from "./transaction.ts";

export interface WriteRequest {
  readonly id: number;
  readonly name: OperationName;
  readonly input: unknown;
  readonly bytes: number;
}
export type WriteReply =
  | { readonly ready: true }
  | { readonly cannotStart: StopCode; readonly detail: string }
  | { readonly answers: readonly { readonly id: number; readonly answer: unknown }[]; readonly head: Heads }
  | { readonly failed: string; readonly why: WriteFailure; readonly ids: readonly number[] };
/** `full`: nothing was written, it may be tried again. `threw`: this one operation is faulty. `broken`: the disk is. */
export type WriteFailure = "full" | "threw" | "broken";
export interface Heads {
  /** Next position of the order log, of the trail and of the stream of document changes. */
  readonly log: number;
  readonly trail: number;
  readonly documents: number;
  /** The current term of the order log, and the nonce of its newest start; empty before the log was opened. */
  readonly term: string;
  readonly start: string;
}

/**
 * Makes every table where it is not there yet, and answers what commits a batch of operations in one transaction. Each
 * request of the batch is in exactly one reply. `noteOutside` comes after each commit and before its answers. A broken
 * disk is told, then thrown: nobody knows what is on it.
 */
export function createCommitter(
  db: DatabaseSync,
  nowUtc: () => string,
  reply: (reply: WriteReply) => void,
  noteOutside: (heads: Heads) => void,
): (batch: readonly WriteRequest[]) => void {
  db.exec(tables);
  const trail = createTrailWriter(db);
  const prepared = new Map<string, StatementSync>();
  const sql = (text: string): StatementSync => {
    const statement = prepared.get(text) ?? db.prepare(text);
    prepared.set(text, statement);
    return statement;
  };
  const remembered = new Map<string, unknown>();
  const remember = <T>(name: string, make: () => T): T => {
    if (!remembered.has(name)) remembered.set(name, make());
    return remembered.get(name) as T;
  };
  const headOf = db.prepare(
    `select (select coalesce(max(position) + 1, 0) from log) as log,
            (select coalesce(max(position) + 1, 0) from trail) as trail,
            (select coalesce(max(position) + 1, 0) from change) as documents,
            coalesce((select id from term order by number desc limit 1), '') as term,
            coalesce((select run from log where type = 'start' order by position desc limit 1), '') as start`,
  );

  const commit = (batch: readonly WriteRequest[]): void => {
    let answers: { id: number; answer: unknown }[];
    try {
      db.exec("begin immediate");
      const now = nowUtc();
      const note = (row: TrailNote) => trail.append(now, nextPosition({ sql, remember }), row);
      const transaction: Transaction = { sql, now, remember, note };
      answers = batch.map(({ id, name, input }) => ({
        id,
        answer: (operations[name] as (tx: Transaction, input: unknown) => unknown)(transaction, input),
      }));
      db.exec("commit");
    } catch (error) {
      failed(batch, error);
      return;
    }
    let head: Heads;
    try {
      head = headOf.get() as unknown as Heads;
      noteOutside(head);
    } catch (error) {
      // Committed and not noted outside: nobody may be told before it is.
      reply({ failed: traceOf(error), why: "broken", ids: batch.map(({ id }) => id) });
      throw error;
    }
    reply({ answers, head });
  };

  const failed = (batch: readonly WriteRequest[], error: unknown): void => {
    const why = failureOf(error);
    const failure = { failed: traceOf(error), why, ids: batch.map(({ id }) => id) } satisfies WriteReply;
    if (why === "broken") {
      // A failed fsync leaves nobody knowing what is on disk. The process must stop; a restart reads the truth.
      reply(failure);
      throw error;
    }
    if (db.isTransaction) db.exec("rollback");
    remembered.clear();
    trail.reload();
    // One faulty operation must not take down those that came along with it: each is tried alone.
    if (why === "threw" && batch.length > 1) for (const request of batch) commit([request]);
    else reply(failure);
  };
  return commit;
}

function failureOf(error: unknown): WriteFailure {
  const code = primaryCode(error);
  if (code === SQLITE_FULL) return "full";
  return code === null || code === SQLITE_CONSTRAINT ? "threw" : "broken";
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
