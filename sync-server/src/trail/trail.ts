/**
 * PORT. The trail: what the relay saw and decided, append-only, chained, with positions of its own. Rows are written
 * inside the transaction of what they tell of, so that neither stands without the other.
 */
export interface TrailNote {
  readonly topic: TrailTopic;
  readonly device: string | null;
  /** What it is about: an offline id, a hash, a document id, a photo id. */
  readonly item: string | null;
  /** Small JSON with what a reader needs to understand the row. Never a secret, never a payload. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export type TrailTopic =
  | "device.enrolled"
  | "device.revoked"
  | "device.contact"
  | "attempt"
  | "admission"
  | "refusal"
  | "document.stored"
  | "document.refused"
  | "document.conflict"
  | "photo.arrived"
  | "photo.refused"
  | "verdict"
  | "finding"
  | "alert"
  | "import"
  | "day.certified"
  | "expired"
  | "term"
  | "backup.verified"
  | "rescue"
  | "relay.started"
  | "relay.stopped";

export interface TrailRow extends TrailNote {
  readonly position: number;
  /** RFC 3339 UTC, the relay's clock. */
  readonly at: string;
  /** Next position of the order log when the row was written. */
  readonly logHead: number;
  /** SHA-256 over the row before and this one, hexadecimal. */
  readonly hash: string;
}

/** Reads the trail. Pages, never an open cursor: an open one would keep the database's log from shrinking. */
export interface TrailReader {
  /** At most `count` rows from `position` on, in order. */
  read(position: number, count: number): readonly TrailRow[];
  /** Every row about an item, in order, at most 1,000. */
  about(item: string): readonly TrailRow[];
  /** The next position. */
  head(): number;
}
