import { leafHash, logOrigin, rangeHash, verifierOf } from "@sampai/engine/proof";
import { LRUCache } from "lru-cache";
import type { RelayContext } from "../context.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { extendTiles, remembering, subtreesOf, type Tile } from "./tiles.ts";
import { createTreeReader, type TreeReader } from "./tree-reader.ts";

/** A checkpoint follows a commit by this much at the most plus the hashing: well within the promised second. */
const DELAY_MS = 250;
/** What could not be kept, because the disk is full, is tried again after so long. */
const RETRY_MS = 10_000;
/** Leaves hashed in one go, so that the event loop is never held for more than some milliseconds. */
const PAGE_LEAVES = 1_000;
/** A root is made of at most this many subtrees, one for each bit of the size. */
const SUBTREES = 53;

/** Grows the tree behind the log and signs a checkpoint over it, off the acknowledgement's path. */
export async function startTreeKeeper(context: RelayContext): Promise<() => Promise<void>> {
  const { writer, orderLog, clock, db } = context;
  const reader = createTreeReader(db);
  let head = await orderLog.head();
  let cancel: (() => void) | null = null;
  let working: Promise<void> = Promise.resolve();
  // Nobody else keeps the tree while a relay works, so what was kept last needs not be read after each commit.
  let size = reader.checkpoint()?.size ?? 0;
  const subtrees = new LRUCache<string, Uint8Array>({ max: SUBTREES });

  const work = async () => {
    while (size < head) {
      const grown = grow(context, reader, size, subtrees);
      const kept = await writer.run("keepTree", grown);
      size = kept ? grown.checkpoint.size : (reader.checkpoint()?.size ?? 0);
      if (!kept) return subtrees.clear();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const later = (delayMs = DELAY_MS) => {
    cancel ??= clock.after(delayMs, () => {
      cancel = null;
      working = working.then(work).catch((error: unknown) => {
        // A full disk keeps the tree behind the log. Acknowledgements do not wait for it.
        context.log.warn({ error: String(error) }, "the hash tree could not be kept");
        later(RETRY_MS);
      });
    });
  };
  const stop = orderLog.subscribe((next) => {
    head = next;
    if (size < head) later();
  });
  later();
  return async () => {
    stop();
    cancel?.();
    await working;
    cancel?.();
    await work();
  };
}

function grow(context: RelayContext, reader: TreeReader, from: number, subtrees: LRUCache<string, Uint8Array>) {
  const records = reader.records(from, PAGE_LEAVES);
  const tiles = extendTiles(reader, from, records.map(leafHash));
  const size = from + records.length;
  const root = rangeHash(0, size, remembering(subtreesOf(overlay(reader, tiles)), subtrees));
  const { workspace, term } = context;
  const stated = { origin: logOrigin(workspace.id, term), size, root };
  const note = signCheckpoint(stated, verifierOf(workspace), (bytes) => workspace.sign(bytes));
  return { from, tiles, checkpoint: { size, term, root, note } };
}

/** The tiles as they will be once the grown ones are stored. */
function overlay(reader: TreeReader, tiles: readonly Tile[]) {
  const grown = new Map(tiles.map((tile) => [`${tile.level}/${tile.index}`, tile.hashes]));
  return { tile: (level: number, index: number) => grown.get(`${level}/${index}`) ?? reader.tile(level, index) };
}
