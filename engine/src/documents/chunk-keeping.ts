import * as A from "@automerge/automerge/slim";
import type { Replica } from "./genesis.ts";
import { chunkName, keys, type Entry } from "./local-index.ts";
import { isComplete } from "./replica-loading.ts";
import type { Draft, Shelf } from "./shelf.ts";

/** More chunks than this are folded into one snapshot, when the document is open and nothing of it is unsent. */
const CHUNKS_BEFORE_SNAPSHOT = 32;

/** Writes a chunk and notes it in the index row; the same bytes are kept once. */
export function keepChunk(draft: Draft, doc: string, entry: Entry, type: "c" | "s", bytes: Uint8Array): Entry {
  const name = chunkName(type, bytes);
  if (entry.chunks.includes(name)) return entry;
  draft.write(keys.chunk(doc, name), bytes);
  return { ...entry, chunks: [...entry.chunks, name] };
}

/**
 * Folds many chunks into one snapshot, in the commit that is being made. The snapshot is loaded once before it replaces
 * anything, and only chunks that it was made of are removed. Unsent changes are never folded in: a refusal must find
 * the relay's state without them.
 */
export function foldWhenMany(shelf: Shelf, draft: Draft, doc: string, entry: Entry, replica: Replica): Entry {
  if (entry.chunks.length <= CHUNKS_BEFORE_SNAPSHOT || entry.doubted || !isComplete(replica, [])) return entry;
  const unsent = shelf.unsentOf(doc).flatMap((record) => record.hashes);
  if (unsent.length > 0) return entry;
  const bytes = A.save(replica);
  const again = A.load(bytes);
  const same = A.getHeads(again).join() === A.getHeads(replica).join();
  A.free(again);
  if (!same) return entry;
  for (const name of entry.chunks) draft.write(keys.chunk(doc, name), null);
  return keepChunk(draft, doc, { ...entry, chunks: [] }, "s", bytes);
}

/** Removes a document from this device. */
export function forget(draft: Draft, doc: string, entry: Entry) {
  for (const name of [...entry.chunks, ...entry.quarantined]) draft.write(keys.chunk(doc, name), null);
  draft.entry(doc, null);
}
