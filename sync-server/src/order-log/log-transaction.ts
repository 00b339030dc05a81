import type { Tip } from "@sampai/engine/wire";
import type { TrailNote } from "../trail/trail.ts";
import type { PlacedCandidate, QuarantineCode } from "./admit.ts";
import type { Content } from "./content.ts";
import type { LeafFlag } from "./log.ts";
import type { TermLog } from "./term-log.ts";

/**
 * PORT. The order log from inside one transaction: what admission and claims ask of it and write to it. Everything that
 * was written before, in this transaction or in one that commits together with it, MUST be seen; all of it is kept, or
 * nothing.
 *
 * The rules ask synchronously. All they ask for a batch is about its own hashes, what those follow, and what is held of
 * its device (`limits.heldEvents` at most): an adapter whose rows are across a network loads that with one statement,
 * under the lock that orders commits, answers from memory, and writes the difference.
 */
export interface LogTransaction {
  /** RFC 3339 UTC, the same for the whole transaction. */
  readonly now: string;
  /** The current term, also one that began in this transaction. */
  readonly term: string;
  readonly terms: TermLog;
  /** The next position. */
  head(): number;
  termAt(position: number): string;
  /** Whether a leaf has this offline id. */
  hasId(id: string): boolean;
  device(device: string): DeviceLog;
  /** Appends a leaf that no device made. */
  appendOwn(leaf: OwnLeaf): number;
  /** Takes out what lies in quarantine of devices that may write (again), of each in the order in which it came. */
  takeQuarantined(): readonly { readonly device: string; readonly events: readonly PlacedCandidate[] }[];
  /** Appends a row to the trail. */
  note(row: TrailNote): void;
  /** Keeps a placed close of a day where the days' certificates are made from. */
  noteClose(placed: PlacedClose): void;
}

/** A leaf of the relay's own: the start of a life, or the record of a term. */
export interface OwnLeaf extends Tip {
  readonly type: "start" | "term";
  readonly bytes: Uint8Array;
}

/** One device's part of the log. Sets are keyed by hash, never by seq. */
export interface DeviceLog {
  readonly device: string;
  /** Whether the device is known and not revoked. */
  mayWrite(): boolean;
  positionOf(hash: string): number | undefined;
  /** Whether it is a declared hole that nothing has filled. */
  isHole(hash: string): boolean;
  isHeld(hash: string): boolean;
  /** Whether another placed event sits at (run, seq). */
  hasOther(event: Tip): boolean;
  /** Whether a placed event follows the one with this hash. */
  isFollowed(hash: string): boolean;
  /** Whether it has the next number after the placed event that it follows in its run; true where it follows none. */
  numbersOn(event: PlacedCandidate): boolean;
  /** Appends an event and answers its position. It is expected no longer. */
  place(event: PlacedCandidate, noted: { readonly id: string | null; readonly flags: readonly LeafFlag[] }): number;
  /** Appends a hole and answers its position. It is expected no longer. */
  placeHole(hole: Tip): number;
  fillHole(hash: string): void;
  hold(event: PlacedCandidate, want: string): void;
  /** Takes out and answers every event held because it waits for `hash`, in the order of run, seq and hash. */
  takeHeldOn(hash: string): readonly PlacedCandidate[];
  heldCount(): number;
  /** Keeps the event aside, once. */
  quarantine(event: PlacedCandidate, code: QuarantineCode): void;
  /** Counts how often an event was answered so without getting a place, this time included. */
  countAnswer(hash: string, answer: string): number;

  /** Keeps a tip that was claimed and is not here. The same again changes nothing. */
  expect(tip: Tip): void;
  /** Every placed event that no placed event follows, in the order of run and seq. */
  tips(): readonly Tip[];
  /** What held events follow, and what is expected, without what is placed, held, declared a hole or in quarantine. */
  wants(): readonly string[];
  /** Declared holes that nothing has filled. */
  openHoles(): readonly string[];

  /** Held events that no held event follows. */
  heldEnds(): readonly Tip[];
  /** A placed or held event. */
  find(hash: string): StoredEvent | undefined;
  /** Whether the run has a number with two events. */
  isBranched(run: string): boolean;
}

/** An event of a device as the log has it. */
export interface StoredEvent extends Tip {
  readonly prev: string | null;
  readonly bytes: Uint8Array;
  /** Null where it is held and not placed yet. */
  readonly position: number | null;
}

export interface PlacedClose extends Tip {
  readonly device: string;
  readonly position: number;
  readonly close: NonNullable<Content["close"]>;
}
