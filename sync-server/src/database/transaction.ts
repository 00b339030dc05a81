import type { StatementSync } from "node:sqlite";
import type { TrailNote } from "../trail/trail.ts";

/**
 * What a write operation gets: the one transaction that it shares with all that commit together with it.
 * An operation MUST be synchronous and MUST throw only when the database itself is broken: what a caller can act on
 * is part of its answer.
 */
export interface Transaction {
  /** Prepares a statement, or answers the one prepared before for the same text. */
  sql(text: string): StatementSync;
  /** RFC 3339 UTC, the same for the whole transaction. */
  readonly now: string;
  /** Appends a row to the trail in this transaction. */
  note(row: TrailNote): void;
  /**
   * What the writer may keep in memory between transactions, to save reads: made where it is not there, and forgotten
   * whenever a transaction is rolled back.
   */
  remember<T>(name: string, make: () => T): T;
}
