import { bytesEqual } from "@sampai/engine/core";
import { consistencyProof, rangeHash } from "@sampai/engine/proof";
import type { ClaimedMessage } from "@sampai/engine/wire";
import { subtreesOf } from "./tiles.ts";
import type { TreeReader } from "./tree-reader.ts";

/** The newest checkpoint, with the proof that it goes on from the highest of those that a device holds and we do too. */
export function newestAfter(
  reader: TreeReader,
  held: readonly { readonly term: string; readonly size: number; readonly root: Uint8Array }[],
): ClaimedMessage["checkpoint"] {
  const newest = reader.checkpoint();
  if (newest === undefined) return undefined;
  const subtree = subtreesOf(reader);
  const from = [...held]
    .sort((a, b) => b.size - a.size)
    .find(({ size, root }) => size <= newest.size && bytesEqual(rangeHash(0, size, subtree), root));
  if (from === undefined) return { note: newest.note, from: null, consistency: [] };
  const { term, size } = from;
  return { note: newest.note, from: { term, size }, consistency: consistencyProof(size, newest.size, subtree) };
}
