import * as A from "@automerge/automerge/slim";
import type { StorageEntry } from "../storage/storage.ts";
import { readChunks, type Chunk } from "./chunk.ts";
import type { Replica } from "./genesis.ts";
import { keys, type Entry, type Unsent } from "./local-index.ts";

export interface LoadedReplica {
  readonly replica: Replica;
  /** Names of the good chunks. */
  readonly found: readonly string[];
  /** Chunks that are damaged: to be put aside. */
  readonly damaged: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Everything that was expected is there and readable. */
  readonly whole: boolean;
}

/**
 * Builds a document from its chunks and its unsent changes. Every chunk's checksum is verified before Automerge sees
 * it; a damaged one never takes the good ones with it. Edits made on it are authored by `actor` (hexadecimal), which
 * must be new for each load: after lost bytes an old one could use a sequence number twice.
 */
export function buildReplica(
  doc: string,
  entry: Entry,
  content: readonly StorageEntry[],
  unsent: readonly Unsent[],
  actor: string,
): LoadedReplica {
  const prefix = keys.content(doc);
  const found: string[] = [];
  const damaged: { name: string; bytes: Uint8Array }[] = [];
  const chunks: Chunk[] = [];
  for (const { key, value } of content) {
    const name = key.slice(prefix.length);
    if (name.startsWith("q/")) continue;
    const read = readChunks(value);
    chunks.push(...read.chunks);
    if (read.damage === null) found.push(name);
    else damaged.push({ name, bytes: value });
  }
  for (const { bytes } of unsent) chunks.push(...readChunks(bytes).chunks);
  let replica = A.init<Record<string, unknown>>({ actor });
  let readable = true;
  const documents = chunks.filter((chunk) => chunk.type === "document");
  const [first, ...others] = documents;
  const loading: A.InitOptions<Record<string, unknown>> = { actor, allowMissingChanges: true };
  try {
    // `A.load` takes half the time of loading into an empty document.
    if (first !== undefined) replica = A.load<Record<string, unknown>>(first.bytes, loading);
    for (const { bytes } of others) replica = A.loadIncremental(replica, bytes);
  } catch {
    readable = false;
  }
  const changes = chunks.filter((chunk) => chunk.type === "change").map(({ bytes }) => bytes);
  if (changes.length > 0) {
    try {
      replica = A.applyChanges(replica, changes)[0];
    } catch {
      readable = false;
    }
  }
  const whole =
    readable &&
    damaged.length === 0 &&
    entry.chunks.every((name) => found.includes(name)) &&
    isComplete(replica, entry.heads);
  return { replica, found, damaged, whole };
}

/** Whether the document holds these heads and no change waits for one that is not here. */
export function isComplete(replica: Replica, heads: readonly string[]): boolean {
  return A.hasHeads(replica, [...heads]) && A.getMissingDeps(replica, []).length === 0;
}

/** Takes chunks into a replica. Throws where Automerge cannot read what their checksums called good. */
export function takeChunks(replica: Replica, chunks: readonly Chunk[]): Replica {
  let taken = replica;
  for (const { type, bytes } of chunks) if (type === "document") taken = A.loadIncremental(taken, bytes);
  const changes = chunks.filter(({ type }) => type === "change").map(({ bytes }) => bytes);
  return changes.length === 0 ? taken : A.applyChanges(taken, changes)[0];
}
