/**
 * PORT. What an order log knows of its terms and lives, inside one transaction: what was promised, what was raised, where
 * lives began, and how its tree stands. Kept with the log and copied with it, except where a head file brings it back.
 */
export interface TermLog {
  /** Ids of the log's own terms, oldest first; the last one is the current. Empty before the log was opened. */
  terms(): readonly string[];
  begin(term: string): void;
  /** The terms among them that were raised, oldest first. */
  raised(): readonly RaisedTerm[];
  noteRaised(raised: RaisedTerm): void;
  /** The largest log that was ever promised in each term, also in terms that this log has not. */
  knownSizes(): ReadonlyMap<string, number>;
  /** A smaller size than the known one changes nothing. */
  noteKnownSize(term: string, size: number): void;
  /** Where raised terms began, also those that this log has not. */
  beginnings(): ReadonlyMap<string, number>;
  /** The first one that was noted of a term stands. */
  noteBeginning(term: string, position: number): void;

  /** Position of the start leaf with this nonce. */
  startOf(nonce: string): number | undefined;
  /** Position of the first start leaf behind this one. */
  startAfter(position: number): number | undefined;
  lastStart(): number | undefined;

  /** Root (RFC 6962) over the first `size` leaves; undefined where no checkpoint has come that far. */
  rootOver(size: number): Uint8Array | undefined;
  /** What the newest checkpoint covers. */
  newestTree(): { readonly size: number; readonly root: Uint8Array } | undefined;

  /** Keeps that a device holds a receipt for an event at a lost position. The same again changes nothing. */
  noteVoided(voided: {
    readonly term: string;
    readonly position: number;
    readonly hash: string;
    readonly device: string;
  }): void;
  /** Positions of a term from `from` on that devices hold receipts for, in order, each with where its event is now. */
  voided(term: string, from: number): readonly Voided[];
}

/** A term that began because the log came back shorter than it was promised to be. */
export interface RaisedTerm {
  readonly term: string;
  /** Leaves of the log when it began, and the first position that may have been another leaf's before. */
  readonly restored: number;
  readonly diverged: number;
  /** The term whose promise was not kept. */
  readonly dead: string;
  readonly cause: TermCause;
  /** RFC 3339 UTC. */
  readonly at: string;
}

/** `head`: the file beside the data folder. `claim`: a device's claim. */
export type TermCause = "head" | "claim";

export interface Voided {
  readonly position: number;
  readonly device: string;
  /** Null: it is not back. */
  readonly now: number | null;
}
