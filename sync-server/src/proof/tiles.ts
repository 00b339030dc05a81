import { assert } from "@sampai/engine/core";
import type { LRUCache } from "lru-cache";
import { HASH_BYTES, nodeHash, type SubtreeHash } from "@sampai/engine/proof";

/** Levels and width of a tile by C2SP tlog-tiles: 256 hashes, eight levels of the tree. */
export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;

/** Hashes of one tile, side by side; `width` of them, 256 in a full one. Level 0 holds leaf hashes. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Uint8Array;
}

export interface TileReader {
  tile(level: number, index: number): Uint8Array | undefined;
}

/** Adds leaf hashes behind the `size` leaves that are there. Answers every tile that is new or longer than before. */
export function extendTiles(reader: TileReader, size: number, leaves: readonly Uint8Array[]): Tile[] {
  const changed = new Map<string, { level: number; index: number; parts: Uint8Array[] }>();
  const add = (level: number, position: number, hash: Uint8Array) => {
    const index = Math.floor(position / TILE_WIDTH);
    const key = `${level}/${index}`;
    let tile = changed.get(key);
    if (tile === undefined) {
      const width = position % TILE_WIDTH;
      const stored = width === 0 ? new Uint8Array() : reader.tile(level, index);
      assert(
        stored !== undefined && stored.length >= width * HASH_BYTES,
        `tile ${key} holds its first ${width} hashes`,
      );
      tile = { level, index, parts: [stored.subarray(0, width * HASH_BYTES)] };
      changed.set(key, tile);
    }
    tile.parts.push(hash);
    if (position % TILE_WIDTH === TILE_WIDTH - 1) add(level + 1, index, tileRoot(Buffer.concat(tile.parts)));
  };
  for (const [offset, hash] of leaves.entries()) add(0, size + offset, hash);
  return [...changed.values()].map(({ level, index, parts }) => ({ level, index, hashes: Buffer.concat(parts) }));
}

/** The hash over a full tile: the leaf it is in the tile above. */
function tileRoot(hashes: Uint8Array): Uint8Array {
  return fold(hashes, 0, TILE_WIDTH);
}

function fold(hashes: Uint8Array, from: number, count: number): Uint8Array {
  if (count === 1) return hashes.subarray(from * HASH_BYTES, (from + 1) * HASH_BYTES);
  const half = count / 2;
  return nodeHash(fold(hashes, from, half), fold(hashes, from + half, half));
}

/** Full subtrees never change, so the large ones need not be folded again for each root. */
export function remembering(subtree: SubtreeHash, known: LRUCache<string, Uint8Array>): SubtreeHash {
  return (level, index) => {
    const name = `${level}/${index}`;
    const hash = known.get(name) ?? subtree(level, index);
    known.set(name, hash);
    return hash;
  };
}

/** Reads the hash of any full subtree out of the tiles. */
export function subtreesOf(reader: TileReader): SubtreeHash {
  return (level, index) => {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const inTile = level % TILE_HEIGHT;
    const first = index * 2 ** inTile;
    const tile = reader.tile(tileLevel, Math.floor(first / TILE_WIDTH));
    const from = first % TILE_WIDTH;
    const count = 2 ** inTile;
    assert(
      tile !== undefined && tile.length >= (from + count) * HASH_BYTES,
      `tile ${tileLevel}/${Math.floor(first / TILE_WIDTH)} holds ${from + count} hashes`,
    );
    return fold(tile, from, count);
  };
}

/** A tile's path by C2SP tlog-tiles, such as `tile/0/x001/234.p/17`. */
export function tilePath(level: number | "entries", index: number, width = TILE_WIDTH): string {
  const groups: string[] = [];
  for (let left = index, first = true; first || left > 0; left = Math.floor(left / 1_000), first = false) {
    const digits = String(left % 1_000).padStart(3, "0");
    groups.unshift(first ? digits : `x${digits}`);
  }
  return `tile/${level}/${groups.join("/")}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}
