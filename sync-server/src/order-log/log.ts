/**
 * PORT. The append-only order log: one gapless, total order over the events of all devices. A position is given once
 * and never again; commit order is position order; what was answered is durable.
 */
export interface OrderLogReader {
  /** At most `count` leaves from `position` on, in order. */
  read(position: number, count: number): readonly LogLeaf[];
  /** The leaf of an offline id, or undefined. The first one wins where a hostile phone used an id twice. */
  find(id: string): LogLeaf | undefined;
  /** The next position. */
  head(): number;
}

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
 * `late`: fills a declared hole. `mismatch`: its bytes name another device or place in the chain than they were signed for. `branch`: another event holds this (device, run, seq). `opaque`: unreadable bytes.
 * `fork`: its run begins after an event that another one follows already: a copied or restored phone, or a save that failed.
 * `schema`: unknown kind or a body that does not fit it. `id-reused`: the offline id stands in the log with other bytes.
 */
export type LeafFlag = "late" | "branch" | "fork" | "opaque" | "schema" | "mismatch" | "id-reused";
