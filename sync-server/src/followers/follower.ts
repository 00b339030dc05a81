import type { Envelope } from "@sampai/engine";
import type { DatabaseSync } from "node:sqlite";
import type { LeafType } from "../order-log/log.ts";
import type { TrailNote } from "../trail/trail.ts";
import type { Masters } from "./masters.ts";

/**
 * PORT. A follower reads one stream in order and keeps what it makes of it. It MUST give the same result for the same
 * stream, however often it is stopped, so that it can be rebuilt; it MUST NOT be able to slow or break capture.
 */
export interface Follower {
  readonly name: string;
  /** Raised when the follower's result would differ for the same stream: its state is dropped and it starts again. */
  readonly version: number;
  readonly stream: "log" | "trail" | "documents";
  /** Creates its tables in the followers' own database where they are not there yet. */
  prepare(db: DatabaseSync): void;
  /** Drops its tables, before `prepare` makes them again and it is rebuilt. They may be another version's. */
  reset(db: DatabaseSync): void;
  /**
   * Takes one page of the stream. Runs inside the transaction that also stores its cursor, so a page counts exactly
   * once. Throwing stops this follower only: it is tried again with a growing delay and an alert.
   */
  step(db: DatabaseSync, page: readonly StreamItem[], context: FollowerContext): void;
  /**
   * Does a piece of what `step` left for later, in a transaction of its own, and answers whether there was any. Called
   * until there is none while nothing new waits in the streams. What it leaves MUST be in the followers' database.
   */
  rest?(db: DatabaseSync, context: FollowerContext): boolean;
}

/** One row of the order log as a follower sees it. `event` is null where the bytes are opaque. */
export interface LogItem {
  readonly stream: "log";
  readonly position: number;
  readonly term: string;
  readonly device: string;
  readonly run: string;
  readonly seq: number;
  readonly hash: string;
  /** RFC 3339 UTC at the relay. */
  readonly received: string;
  readonly flags: readonly string[];
  /** `expired`: an event whose bytes are kept no longer. */
  readonly type: LeafType | "expired";
  readonly event: Envelope | null;
  /** What is kept of an order whose author was forgotten: the relay's words, which nobody signed. */
  readonly isRemains: boolean;
}

export interface TrailItem {
  readonly stream: "trail";
  readonly position: number;
  readonly at: string;
  readonly topic: string;
  readonly device: string | null;
  readonly item: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Next position of the order log when the row was written: what the relay held at that moment. */
  readonly logHead: number;
}

/** One stored change of a document. */
export interface DocumentItem {
  readonly stream: "documents";
  readonly position: number;
  readonly doc: string;
  /** Hash of the Automerge change, hexadecimal. */
  readonly hash: string;
  /** RFC 3339 UTC at the relay. */
  readonly received: string;
  readonly bytes: Uint8Array;
}

export type StreamItem = LogItem | TrailItem | DocumentItem;

export interface FollowerContext {
  /** Relay wall time in milliseconds since 1970. */
  readonly nowMs: number;
  /** The workspace's IANA zone, in which days are cut. */
  readonly zone: string;
  /** People, packs and store masters. What is asked of it MUST be pinned by the item, so that a rebuild sees the same. */
  readonly masters: Masters;
  /** Tells whoever watches that a topic (such as `board:today`) changed. */
  readonly changed: (topic: string) => void;
  /** Writes a trail row once for each `key`, however often the follower is rebuilt. Leaves with the page's transaction. */
  readonly note: (key: string, row: TrailNote) => void;
}
