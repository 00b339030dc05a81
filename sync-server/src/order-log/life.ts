import { sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import { rejudgeQuarantine } from "./append-batch.ts";
import { weigh, type Evidence } from "./evidence.ts";
import type { LogTransaction } from "./log-transaction.ts";

/** What stands outside the log about it: how far it had come when it was last written. */
export interface OutsideHead {
  /** The largest log that was ever promised in each term, and where the terms that were raised began. */
  readonly known: readonly (readonly [term: string, size: number])[];
  readonly began: readonly (readonly [term: string, position: number])[];
  /** The newest promise; null where nothing was ever written. */
  readonly promise: Evidence | null;
}

/** Opens a log, with its first term where it has none. Answers whether what stands outside it raised a new one. */
export function openLife(
  log: LogTransaction,
  nonce: string,
  outside: OutsideHead | null,
): { readonly raised: boolean } {
  if (log.terms.terms().length === 0) log.terms.begin(`1:${nonce}`);
  if (outside === null) return { raised: false };
  for (const [term, size] of outside.known) log.terms.noteKnownSize(term, size);
  for (const [term, position] of outside.began) log.terms.noteBeginning(term, position);
  return { raised: outside.promise !== null && weigh(log, outside.promise, nonce, "head") !== null };
}

/**
 * Begins a life: a relay starts to work. Its leaf has the start's nonce, so that two lives of one relay never look the
 * same, and the quarantine is judged again.
 */
export function startLife(log: LogTransaction, nonce: string): void {
  const { term } = log;
  const hash = sha256Hex(utf8ToBytes(`sampai.start.v1\n${term}\n${nonce}`));
  log.appendOwn({ type: "start", run: nonce, seq: 0, hash, bytes: new Uint8Array() });
  log.note({ topic: "relay.started", device: null, item: null, detail: { term, nonce } });
  rejudgeQuarantine(log);
}
