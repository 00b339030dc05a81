import { rangeHash, type Checkpoint } from "@sampai/engine/proof";
import { subtreesOf } from "../proof/tiles.ts";
import type { Transaction } from "../database/operations.ts";
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
  return raiseTerm(tx, nonce, { term, size, proof: proofOf(evidence) }, cause);
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
  const began =
    start === ""
      ? { position: -1 }
      : (tx.sql("select position from log where device = '' and run = ? and seq = 0 and type = 'start'").get(start) as
          | { position: number }
          | undefined);
  if (began === undefined) return false;
  const next = tx
    .sql("select min(position) as position from log where type = 'start' and position > ?")
    .get(began.position) as { position: number | null };
  return size <= (next.position ?? headOf(tx));
}

function proofOf(evidence: Evidence) {
  return evidence.kind === "checkpoint"
    ? { kind: evidence.kind, root: Buffer.from(evidence.root).toString("hex") }
    : { kind: evidence.kind, start: evidence.start };
}
