import type { DatabaseSync } from "node:sqlite";
import type { Follower } from "../followers/follower.ts";
import type { Masters } from "../followers/masters.ts";

/** PORT. A board: a follower that keeps figures, and a snapshot of them for whoever asks. */
export interface Board extends Follower {
  /** Stands in `/v1/boards/:name`; its topic is `board:` and this. */
  readonly board: string;
  /** Everything the board shows now. MUST depend on the streams, the claims and the time only, never on earlier snapshots. */
  snapshot(world: BoardWorld): BoardSnapshot;
  /** The same, for someone who may see these territories only (`*` is all). */
  scoped(snapshot: BoardSnapshot, territories: readonly string[]): BoardSnapshot;
}

export interface BoardWorld {
  /** The followers' own database. */
  readonly db: DatabaseSync;
  /** The relay's, read-only. */
  readonly relay: DatabaseSync;
  readonly masters: Masters;
  readonly nowMs: number;
  /** The workspace's IANA zone. */
  readonly zone: string;
  /** Devices with an open connection now, and since when: RFC 3339 UTC. */
  readonly connected: ReadonlyMap<string, string>;
  /** How long a connection can stay open after its last byte. */
  readonly longestSilenceMs: number;
}

/** A top line of its own kind, and rows by key: a live feed sends those that changed. */
export interface BoardSnapshot {
  readonly board: string;
  /** Small JSON over all rows. */
  readonly top: Readonly<Record<string, unknown>>;
  readonly rows: readonly BoardRow[];
}

export interface BoardRow {
  readonly key: string;
  readonly territories: readonly string[];
  readonly [field: string]: unknown;
}

/** What changed between two snapshots. */
export interface BoardDelta {
  readonly top: BoardSnapshot["top"] | null;
  readonly put: readonly BoardRow[];
  readonly gone: readonly string[];
}

/** Null where nothing changed. */
export function deltaBetween(before: BoardSnapshot, after: BoardSnapshot): BoardDelta | null {
  const known = new Map(before.rows.map((row) => [row.key, JSON.stringify(row)]));
  const put = after.rows.filter((row) => known.get(row.key) !== JSON.stringify(row));
  const stays = new Set(after.rows.map(({ key }) => key));
  const gone = [...known.keys()].filter((key) => !stays.has(key));
  const top = JSON.stringify(before.top) === JSON.stringify(after.top) ? null : after.top;
  return put.length === 0 && gone.length === 0 && top === null ? null : { top, put, gone };
}
