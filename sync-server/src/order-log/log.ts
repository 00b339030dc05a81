import type { AdmissionAnswer, PlacedCandidate } from "./admit.ts";

/**
 * PORT. The append-only order log of one workspace: one gapless, total order over the events of all its devices. What
 * goes where is decided by `append-batch.ts`, the same for every adapter; an adapter gives it a `LogTransaction` and
 * keeps what it wrote. `orderLogContract` in the tests holds every MUST against every adapter.
 *
 * - Positions MUST begin at 0, leave no gap and never be given twice; the order of commits MUST be their order.
 * - A batch MUST see all that was handed in before it, committed or not, and MUST be there whole or not at all.
 * - An answer MUST come after its commit is durable; a crash MUST lose nothing that was answered.
 * - A batch that fails MUST reject, leave nothing, and harm none of those that would have been committed with it.
 * - Readers MUST see whole commits only, in the order of positions, and MUST NOT hold up a writer.
 * - One log holds one workspace: another one's batches MUST be refused, and opening it as another one's MUST fail.
 */
export interface OrderLog extends OrderLogReader {
  readonly workspace: string;
  /** Admits a batch. Rejects with `DiskFull` where there is no room: nothing of it is there. */
  append(batch: VerifiedBatch): Promise<AppendAnswer>;
  /** Records that a device does not hold an event. The same again changes nothing. */
  declareHole(hole: VerifiedHole): Promise<HoleAnswer>;
  /** Tells the next position after each commit that moved it, before anyone is answered. The answer stops it. */
  subscribe(listener: (head: number) => void): () => void;
}

/** What anyone may read of an order log. In pages: an open iterator would keep the database's own log from shrinking. */
export interface OrderLogReader {
  /** At most `count` leaves from `position` on, in order. */
  read(position: number, count: number): Promise<readonly LogLeaf[]>;
  /** The leaf of an offline id, or undefined. The first one wins where a hostile phone used an id twice. */
  find(id: string): Promise<LogLeaf | undefined>;
  /** The next position. */
  head(): Promise<number>;
}

/** Events of one run of one device, one chain, whose signature was verified in this workspace's name. */
export interface VerifiedBatch {
  readonly workspace: string;
  readonly device: string;
  readonly events: readonly PlacedCandidate[];
  /** Which transport brought it. */
  readonly via: "websocket" | "http" | "rescue";
}

/** A device's signed word that it does not hold this event. */
export interface VerifiedHole {
  readonly workspace: string;
  readonly device: string;
  readonly run: string;
  readonly seq: number;
  readonly hash: string;
}

export type AppendAnswer =
  | { readonly term: string; readonly answers: readonly PlacedAnswer[] }
  | { readonly refused: LogRefusal };

/** `relay.busy`: so many events wait behind a gap that no more are taken until what is wanted comes. */
export type LogRefusal = "relay.busy" | "batch.workspace";

/** `term` is the leaf's own, where that is not the current one. */
export type PlacedAnswer = AdmissionAnswer & { readonly term?: string };

export type HoleAnswer = "noted" | { readonly refused: LogRefusal };

/**
 * `hole`: a device does not hold this event. `start`: a relay began to work. `certificate`: a person's day, signed.
 * `expiry`: a decision that bytes are kept no longer, signed.
 */
export type LeafType = "event" | "hole" | "start" | "term" | "certificate" | "expiry";

export interface LogLeaf {
  readonly position: number;
  readonly term: string;
  readonly type: LeafType;
  readonly device: string;
  readonly run: string;
  readonly seq: number;
  /** SHA-256 of the bytes as they came, hexadecimal; of a hole the missing event's. */
  readonly hash: string;
  /** RFC 3339 UTC, the relay's clock. */
  readonly received: string;
  readonly flags: readonly LeafFlag[];
  /** The event's bytes exactly as the phone signed them, none once they have expired; the JSON of term records, and the signed JSON of certificates and expiry decisions. */
  readonly bytes: Uint8Array;
}

/**
 * `late`: fills a declared hole. `mismatch`: its bytes name another device or place in the chain than they were signed for, or its
 * number is not the next after the event that it follows. `branch`: another event holds this (device, run, seq). `opaque`: unreadable bytes.
 * `fork`: its run begins after an event that another one follows already: a copied or restored phone, or a save that failed.
 * `schema`: unknown kind or a body that does not fit it. `id-reused`: the offline id stands in the log with other bytes.
 */
export type LeafFlag = "late" | "branch" | "fork" | "opaque" | "schema" | "mismatch" | "id-reused";
