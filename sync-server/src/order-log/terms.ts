import { bytesToHex, sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import type { LogTransaction } from "./log-transaction.ts";
import type { TermCause, TermLog } from "./term-log.ts";

export interface TermSpan {
  readonly term: string;
  readonly start: number;
  /** Receipts of this term hold before it: where the logs parted, or earlier than its last leaf here. Null: it goes on. */
  readonly end: number | null;
}

/** Every term of this log, oldest first. */
export function termSpans(log: TermLog): TermSpan[] {
  const raised = new Map(log.raised().map((one) => [one.term, one]));
  const terms = log.terms();
  return terms.map((term, index) => ({
    term,
    start: raised.get(term)?.restored ?? 0,
    end: raised.get(terms[index + 1] ?? "")?.diverged ?? null,
  }));
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
  readonly cause: TermCause;
  readonly from: number;
  /** The first position that was never promised. */
  readonly until: number;
}

/** What restores took away, for every term that was once larger than it is here; also for terms that are here no more. */
export function lostRanges(log: TermLog): LostRange[] {
  const raises = log.raised();
  const own = new Set(log.terms());
  const began = log.beginnings();
  return [...log.knownSizes()]
    .flatMap(([term, size]) => {
      const by =
        raises.find(({ dead }) => dead === term) ?? raises.find((later) => numberOf(later.term) > numberOf(term));
      if (by === undefined) return [];
      const { term: next, at, cause, diverged } = by;
      // Of a term that this log never had, only what lies before its beginning can be here.
      const from = own.has(term) ? diverged : Math.min(diverged, began.get(term) ?? 0);
      return size <= from ? [] : [{ term, next, at, cause, from, until: size }];
    })
    .sort((a, b) => numberOf(a.term) - numberOf(b.term));
}

/** Whether this log has, or once had, this term and is in another one now: then evidence of it is old news. */
export function isOldTerm(log: LogTransaction, term: string): boolean {
  if (term === log.term) return false;
  return log.terms.terms().includes(term) || log.terms.raised().some(({ dead }) => dead === term);
}

/** Begins a new term: the log is shorter than it was promised to be. The record is a leaf of the log itself. */
export function raiseTerm(
  log: LogTransaction,
  nonce: string,
  evidence: { readonly term: string; readonly size: number; readonly proof: unknown },
  diverged: number,
  cause: TermCause,
): string {
  const { terms } = log;
  const restored = log.head();
  const evidenced = [evidence.term, ...terms.knownSizes().keys(), ...terms.terms()].map(numberOf);
  const number = 1 + Math.max(...evidenced);
  const term = `${number}:${nonce}`;
  terms.begin(term);
  terms.noteRaised({ term, restored, diverged, dead: evidence.term, cause, at: log.now });
  terms.noteBeginning(term, diverged);
  const tree = terms.newestTree();
  const record = {
    v: 1,
    term,
    restored: {
      size: restored,
      diverged,
      tree: tree === undefined ? null : { size: tree.size, root: bytesToHex(tree.root) },
    },
    evidence,
    cause,
  };
  const bytes = utf8ToBytes(JSON.stringify(record));
  log.appendOwn({ type: "term", run: nonce, seq: number, hash: sha256Hex(bytes), bytes });
  const detail = { term, restored, diverged, dead: evidence.term, known: evidence.size, cause };
  log.note({ topic: "term", device: null, item: term, detail });
  return term;
}
