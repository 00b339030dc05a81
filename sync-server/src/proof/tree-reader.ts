import type { DatabaseSync } from "node:sqlite";
import { leafBytes } from "./leaf-record.ts";
import type { TileReader } from "./tiles.ts";

export interface StoredCheckpoint {
  readonly size: number;
  readonly term: string;
  readonly root: Uint8Array;
  readonly note: string;
}

/** Reads what the tree's keeper has stored. */
export interface TreeReader extends TileReader {
  /** The newest checkpoint, or undefined before the first. */
  checkpoint(): StoredCheckpoint | undefined;
  /** Records of the leaves [from, from + count), as the tree holds them. */
  records(from: number, count: number): Uint8Array[];
  /**
   * The row that this names: an offline id (the first one, where a phone used it twice), an event's
   * hash, or a position of any row, with `#` before it or not. Undefined where there is none.
   */
  positionOf(name: string): { readonly position: number; readonly device: string } | undefined;
}

interface Row {
  term: string;
  position: number;
  type: string;
  device: string;
  run: string;
  seq: number;
  hash: string;
  received: string;
  flags: string;
}

export function createTreeReader(db: DatabaseSync): TreeReader {
  const tile = db.prepare("select hashes from tile where level = ? and idx = ?");
  const newest = db.prepare("select size, term, root, note from checkpoint order by size desc, at desc limit 1");
  const rows = db.prepare(
    `select term, position, type, device, run, seq, hash, received, flags
       from log where position >= ? order by position limit ?`,
  );
  const byId = db.prepare("select position, device from log where id = ? order by position limit 1");
  // `cross` keeps the order of the join: a device's hashes are in an index, all hashes are not.
  const byHash = db.prepare(
    `select log.position, log.device from device cross join log
       on log.device = device.device and log.hash = ? and log.type = 'event' order by log.position limit 1`,
  );
  const at = db.prepare("select position, device from log where position = ?");
  return {
    tile: (level, index) => (tile.get(level, index) as { hashes: Uint8Array } | undefined)?.hashes,
    checkpoint: () => newest.get() as StoredCheckpoint | undefined,
    records: (from, count) =>
      (rows.all(from, count) as unknown as Row[]).map((row) =>
        leafBytes({ ...row, flags: JSON.parse(row.flags) as string[] }),
      ),
    positionOf: (name) => {
      const position = /^#?(0|[1-9]\d{0,14})$/.exec(name)?.[1];
      const hash = /^[0-9a-f]{64}$/.test(name) ? name : undefined;
      const found =
        byId.get(name) ??
        (hash === undefined ? undefined : byHash.get(hash)) ??
        (position === undefined ? undefined : at.get(Number(position)));
      return found as { position: number; device: string } | undefined;
    },
  };
}
