import { bytesToHex } from "@sampai/engine/core";
import type { LogTransaction } from "./log-transaction.ts";
import type { TermCause } from "./term-log.ts";
import { isOldTerm, raiseTerm } from "./terms.ts";

/** What was promised of this log, verified as signed by us: in a checkpoint, or with an acknowledgement. */
export type Evidence =
  | { readonly kind: "checkpoint"; readonly term: string; readonly size: number; readonly root: Uint8Array }
  | { readonly kind: "promise"; readonly term: string; readonly size: number; readonly start: string };

/** Weighs one piece of evidence against the log. Answers the new term where it raised one. */
export function weigh(log: LogTransaction, evidence: Evidence, nonce: string, cause: TermCause): string | null {
  const { term, size } = evidence;
  log.terms.noteKnownSize(term, size);
  if (isContained(log, evidence) || isOldTerm(log, term)) return null;
  return raiseTerm(log, nonce, { term, size, proof: proofOf(evidence) }, divergedAt(log, evidence, cause), cause);
}

/**
 * From where on our leaves may be others than were promised. A life that we know ended where the next one began here;
 * else it is this life that began on the copy, or nothing was written since where a head file says it at the start.
 */
function divergedAt(log: LogTransaction, evidence: Evidence, cause: TermCause): number {
  if (cause === "head") return log.head();
  const life = evidence.kind === "promise" ? lifeOf(log, evidence.start) : undefined;
  return life?.next ?? log.terms.lastStart() ?? log.head();
}

/** Whether our log is the one that the evidence speaks of, and at least as long. */
function isContained(log: LogTransaction, evidence: Evidence): boolean {
  return evidence.kind === "checkpoint" ? holdsTree(log, evidence) : holdsLife(log, evidence);
}

/** The tree is kept up to the newest checkpoint, and no checkpoint leaves the relay before it is stored. */
function holdsTree(log: LogTransaction, { size, root }: { readonly size: number; readonly root: Uint8Array }): boolean {
  const own = log.terms.rootOver(size);
  return own !== undefined && bytesToHex(own) === bytesToHex(root);
}

/**
 * Within one life of the relay, from its start leaf to the next, the log only grows: it was `size` long in that life, or
 * it is not the same log.
 */
function holdsLife(log: LogTransaction, { start, size }: { readonly start: string; readonly size: number }): boolean {
  const life = lifeOf(log, start);
  return life !== undefined && size <= (life.next ?? log.head());
}

/** Where the life after the one with this start began; undefined where this log has no such life. */
function lifeOf(log: LogTransaction, start: string): { readonly next: number | undefined } | undefined {
  const began = start === "" ? -1 : log.terms.startOf(start);
  return began === undefined ? undefined : { next: log.terms.startAfter(began) };
}

function proofOf(evidence: Evidence) {
  return evidence.kind === "checkpoint"
    ? { kind: evidence.kind, root: bytesToHex(evidence.root) }
    : { kind: evidence.kind, start: evidence.start };
}
