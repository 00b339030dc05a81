import { concatBytes } from "@sampai/engine";
import type { ChangesItem } from "@sampai/engine/wire";
import { soundChunks } from "./change-header.ts";
import type { DocumentRow, StoredDocuments } from "./stored-documents.ts";

/** Changes beside a snapshot above which it is made again. */
const STALE_CHANGES = 20;

/** Whole documents and single changes as the feed carries them: stored bytes, and no document is loaded for them. */
export interface FeedItems {
  /** The compacted document and what came after it; undefined where the stored bytes are damaged. */
  whole(row: DocumentRow): ChangesItem | undefined;
  change(row: DocumentRow, position: number): ChangesItem | undefined;
  /** What was changed behind a position: null for nothing, undefined where the stored bytes are damaged. */
  since(row: DocumentRow, through: number): ChangesItem | null | undefined;
  /** The document is worth compacting. */
  stale(doc: string): void;
}

export interface FeedItemsDeps {
  readonly stored: StoredDocuments;
  /** The document's snapshot is old, absent or bad: it is worth making one. */
  readonly onStale: (doc: string) => void;
  /** A stored change cannot be read. */
  readonly onDamaged: (doc: string) => void;
}

export function createFeedItems({ stored, onStale, onDamaged }: FeedItemsDeps): FeedItems {
  const damaged = (doc: string) => {
    onDamaged(doc);
    return undefined;
  };
  return {
    whole: (row) => {
      const { doc, kind, key } = row;
      const found = stored.snapshot(doc);
      const snapshot = found !== undefined && soundChunks(found.bytes) ? found : undefined;
      const after = stored.bytesSince(doc, snapshot === undefined ? 0 : snapshot.through + 1);
      if (after.length >= STALE_CHANGES || (found !== undefined && snapshot === undefined)) onStale(doc);
      if (!after.every(({ bytes }) => soundChunks(bytes))) return damaged(doc);
      const bytes = concatBytes(...(snapshot === undefined ? [] : [snapshot.bytes]), ...after.map((row) => row.bytes));
      const position = after.at(-1)?.position ?? snapshot?.through;
      if (position === undefined) return damaged(doc);
      return { doc, kind, key, position, bytes, snapshot: true };
    },
    stale: onStale,
    since: ({ doc, kind, key, last: newest }, through) => {
      if (newest <= through) return null;
      const after = stored.bytesSince(doc, through + 1);
      const last = after.at(-1);
      if (last === undefined) return null;
      if (!after.every(({ bytes }) => soundChunks(bytes))) return damaged(doc);
      const bytes = concatBytes(...after.map((row) => row.bytes));
      return { doc, kind, key, position: last.position, bytes, snapshot: false };
    },
    change: ({ doc, kind, key }, position) => {
      const bytes = stored.bytesAt(position);
      if (bytes === undefined || !soundChunks(bytes)) return damaged(doc);
      return { doc, kind, key, position, bytes, snapshot: false };
    },
  };
}
