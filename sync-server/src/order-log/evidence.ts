import { rangeHash, type Checkpoint } from "@sampai/engine/proof";
import { subtreesOf } from "../proof/tiles.ts";
import type { Transaction } from "../database/transaction.ts";
import { headOf } from "./leaves.ts";
import { isOldTerm, noteKnownSize, raiseTerm, type TermCause } from "./terms.ts";

/** What was promised of this log, verified as signed by us: in a checkpoint, or with an acknowledgement. */
export type Evidence =
  | { readonly kind: "checkpoint"; readonly term: string; readonly size: number; readonly root: Uint8Array }
  | { readonly kind: "promise"; readonly term: string; readonly size: number; readonly start: string };

/** Weighs one piece of evidence against the log. Answers the new term where it raised one. */
export function weigh(tx: Transaction, evidence: Evidence, nonce: string, cause: TermCause): string | null {
  noteKnownSize(tx, evidence.term, evidence.size);
  if (isContained(tx, evidence) || isOldTerm(tx, evidence.term)) return null;
  const { term, size } = evidence;
  return raiseTerm(tx, nonce, { term, size, proof: proofOf(evidence) }, divergedAt(tx, evidence, cause), cause);
}

/**
 * From where on our leaves may be others than were promised. A life that we know ended where the next one began here;
 * else it is this life that began on the copy, or nothing was written since where a head file says it at the start.
 */
function divergedAt(tx: Transaction, evidence: Evidence, cause: TermCause): number {
  if (cause === "head") return headOf(tx);
  const life = evidence.kind === "promise" ? lifeOf(tx, evidence.start) : undefined;
  return life?.next ?? lastStart(tx) ?? headOf(tx);
}

/** Whether our log is the one that the evidence speaks of, and at least as long. */
export function isContained(tx: Pick<Transaction, "sql">, evidence: Evidence): boolean {
  return evidence.kind === "checkpoint" ? holdsTree(tx, evidence) : holdsLife(tx, evidence);
}

/** The tree is kept up to the newest checkpoint, and no checkpoint leaves the relay before it is stored. */
function holdsTree(tx: Pick<Transaction, "sql">, { size, root }: Pick<Checkpoint, "size" | "root">): boolean {
  const tree = tx.sql("select max(size) as size from checkpoint").get() as { size: number | null };
  if (size > (tree.size ?? 0)) return false;
  const tile = tx.sql("select hashes from tile where level = ? and idx = ?");
  const reader = {
    tile: (level: number, index: number) => (tile.get(level, index) as { hashes: Uint8Array } | undefined)?.hashes,
  };
  return Buffer.from(rangeHash(0, size, subtreesOf(reader))).equals(root);
}

/**
 * Within one life of the relay, from its start leaf to the next, the log only grows: it was `size` long in that life, or
 * it is not the same log.
 */
function holdsLife(tx: Pick<Transaction, "sql">, { start, size }: { start: string; size: number }): boolean {
  const life = lifeOf(tx, start);
  return life !== undefined && size <= (life.next ?? headOf(tx));
}

/** Where the life after the one with this start began; undefined where this log has no such life. */
function lifeOf(tx: Pick<Transaction, "sql">, start: string): { readonly next: number | null } | undefined {
  const began = (
    start === ""
      ? { position: -1 }
      : tx.sql("select position from log where device = '' and run = ? and seq = 0 and type = 'start'").get(start)
  ) as { position: number } | undefined;
  if (began === undefined) return undefined;
  return tx.sql("select min(position) as next from log where type = 'start' and position > ?").get(began.position) as {
    next: number | null;
  };
}

function lastStart(tx: Pick<Transaction, "sql">): number | null {
  const row = tx.sql("select max(position) as position from log where type = 'start'").get() as {
    position: number | null;
  };
  return row.position;
}

function proofOf(evidence: Evidence) {
  return evidence.kind === "checkpoint"
    ? { kind: evidence.kind, root: Buffer.from(evidence.root).toString("hex") }
    : { kind: evidence.kind, start: evidence.start };
}
