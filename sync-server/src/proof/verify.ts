import { HASH_BYTES, leafHash, logOrigin, rangeHash, verifierOf } from "@sampai/engine/proof";
import type { DatabaseSync } from "node:sqlite";
import { firstUnreadable } from "../database/first-unreadable.ts";
import { readCheckpoint } from "./checkpoint.ts";
import { extendTiles, subtreesOf, TILE_WIDTH, tilePath, type Tile } from "./tiles.ts";
import { createTreeReader, type TreeReader } from "./tree-reader.ts";

/** What of the hash tree is not as it was written: a row of the log, a tile or a checkpoint, by name. */
export interface BadTree {
  readonly where: string;
  readonly what: string;
}

const PAGE = 1_000;

/**
 * Hashes every leaf that the newest checkpoint covers and compares tile by tile, so that the row that was changed is
 * named; then every signed checkpoint with the root that the tree has at its size. Answers the first fault, or null.
 */
export function verifyTree(
  db: DatabaseSync,
  workspace: { readonly id: string; readonly rootKey: string },
  progress: (position: number, size: number) => void,
): BadTree | null {
  const reader = createTreeReader(db);
  const { size, leaves } = grownTo(db);
  // Only the last tile of each level is still growing: the tree made anew costs no memory.
  const growing = new Map<number, Tile>();
  const anew = {
    tile: (level: number, index: number) => {
      const tile = growing.get(level);
      return tile?.index === index ? tile.hashes : undefined;
    },
  };
  for (let position = 0; position < size;) {
    const records = readRecords(reader, position, Math.min(PAGE, size - position));
    if ("where" in records) return records;
    if (records.length === 0) return { where: `row ${position}`, what: "is covered by a checkpoint and is not there" };
    // From the leaves up: a changed leaf also changes every tile above it, and the leaf is what shall be named.
    const tiles = extendTiles(anew, position, records.map(leafHash)).toSorted((a, b) => a.level - b.level);
    for (const tile of tiles) {
      growing.set(tile.level, tile);
      const fault = compare(tile, reader.tile(tile.level, tile.index));
      if (fault !== null) return fault;
    }
    position += records.length;
    progress(position, size);
  }
  // Tiles and their checkpoint are stored together: tiles that go further have lost theirs.
  if (leaves > size) return { where: `checkpoint ${leaves}`, what: "is missing: the tree's tiles hold as many leaves" };
  return verifyCheckpoints(db, workspace);
}

/** How many leaves the newest checkpoint covers and the tiles hold, both at one moment: a relay that runs grows them. */
function grownTo(db: DatabaseSync): { readonly size: number; readonly leaves: number } {
  return db
    .prepare(
      `select (select coalesce(max(size), 0) from checkpoint) as size,
              coalesce((select idx * ${TILE_WIDTH} + length(hashes) / ${HASH_BYTES}
                          from tile where level = 0 order by idx desc limit 1), 0) as leaves`,
    )
    .get() as { size: number; leaves: number };
}

/** The records of some rows, or the first row that is none. */
function readRecords(reader: TreeReader, from: number, count: number): readonly Uint8Array[] | BadTree {
  try {
    return reader.records(from, count);
  } catch (error) {
    const at = firstUnreadable((position) => reader.records(position, 1), from, count);
    if (at === null) throw error;
    return { where: `row ${at}`, what: "cannot be read" };
  }
}

function compare({ level, index, hashes }: Tile, stored: Uint8Array | undefined): BadTree | null {
  const where = tilePath(level, index, hashes.length / HASH_BYTES);
  if (stored === undefined || stored.length < hashes.length) return { where, what: "is missing or too short" };
  const made = Buffer.from(hashes);
  for (let at = 0; at < made.length; at += HASH_BYTES) {
    if (made.compare(stored, at, at + HASH_BYTES, at, at + HASH_BYTES) === 0) continue;
    const slot = at / HASH_BYTES;
    return level === 0
      ? { where: `row ${index * TILE_WIDTH + slot}`, what: `is not the leaf that ${where} holds` }
      : { where, what: `does not hold the hash of the tile ${index * TILE_WIDTH + slot} below it` };
  }
  return null;
}

function verifyCheckpoints(db: DatabaseSync, workspace: { id: string; rootKey: string }): BadTree | null {
  const page = db.prepare(
    "select size, term, root, note from checkpoint where (size, term) > (?, ?) order by size, term limit ?",
  );
  const subtree = subtreesOf(createTreeReader(db));
  const verifier = verifierOf(workspace);
  let last = { size: -1, term: "" };
  for (;;) {
    const rows = page.all(last.size, last.term, PAGE) as unknown as {
      size: number;
      term: string;
      root: Uint8Array;
      note: string;
    }[];
    for (const { size, term, root, note } of rows) {
      const where = `checkpoint ${size} of term ${term}`;
      const read = readCheckpoint(note, verifier);
      if (!read.ok) return { where, what: `is not signed as it stands: ${read.error.detail}` };
      const { origin, size: signedSize, root: signedRoot } = read.value;
      const isSame =
        origin === logOrigin(workspace.id, term) && signedSize === size && Buffer.from(root).equals(signedRoot);
      if (!isSame) return { where, what: "says something else than its signed note" };
      if (!Buffer.from(root).equals(rangeHash(0, size, subtree))) return { where, what: "is not the root of the tree" };
      last = { size, term };
    }
    if (rows.length < PAGE) return null;
  }
}
