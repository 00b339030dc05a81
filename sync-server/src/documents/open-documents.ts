import * as A from "@automerge/automerge/slim";
import { err, ok, type DocumentKind, type Replica, type Result } from "@sampai/engine";
import type { Refusal } from "@sampai/engine/wire";
import { LRUCache } from "lru-cache";
import { soundChunks } from "./change-header.ts";
import { OpenDocument } from "./open-document.ts";
import type { DocumentRow, StoredDocuments } from "./stored-documents.ts";

/**
 * The documents in memory, bounded by bytes. One that is evicted is loaded again from what is stored; one with commits
 * under way stays, because what is stored is behind it.
 */
export class OpenDocuments {
  private readonly busy = new Map<string, { open: OpenDocument; idle: Promise<void>; settle: () => void }>();
  private readonly cache: LRUCache<string, OpenDocument>;
  private readonly stored: StoredDocuments;
  private readonly onBadSnapshot: (doc: string, why: string) => void;

  constructor(stored: StoredDocuments, maxBytes: number, onBadSnapshot: (doc: string, why: string) => void) {
    this.stored = stored;
    this.onBadSnapshot = onBadSnapshot;
    this.cache = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (open) => open.bytes,
      dispose: (open) => this.retire(open),
    });
  }

  /** Documents in memory, and their estimated bytes. */
  get size(): { readonly documents: number; readonly bytes: number } {
    return { documents: this.cache.size, bytes: this.cache.calculatedSize };
  }

  /**
   * The document to change: loaded where it is not in memory, or what must be waited for before it can be. It is this
   * one only until the next await, because it may be evicted and loaded again meanwhile: judge, apply and `hold` first.
   */
  openNow(row: Pick<DocumentRow, "doc" | "kind" | "key">): Result<OpenDocument, Refusal> | { wait: Promise<void> } {
    const busy = this.busy.get(row.doc);
    const open = busy?.open ?? this.cache.get(row.doc);
    if (open !== undefined && !open.broken) return ok(open);
    if (busy !== undefined) return { wait: busy.idle };
    return this.load(row);
  }

  /** The document to read, which MUST be done before the next await. */
  async open(row: Pick<DocumentRow, "doc" | "kind" | "key">): Promise<Result<OpenDocument, Refusal>> {
    for (;;) {
      const opened = this.openNow(row);
      if (!("wait" in opened)) return opened;
      await opened.wait;
    }
  }

  /** The document where it is in memory, also one whose making is not committed yet. */
  peek(doc: string): OpenDocument | undefined {
    return this.busy.get(doc)?.open ?? this.cache.peek(doc);
  }

  /** A document that is stored nowhere yet. */
  begin(doc: string, kind: DocumentKind, key: string): OpenDocument {
    return new OpenDocument(doc, kind, key, A.init<Record<string, unknown>>(), []);
  }

  /** Marks a commit on its way; the answer is called when it is done. */
  hold(open: OpenDocument): (stored: boolean) => void {
    open.pending += 1;
    const entry = this.busy.get(open.doc) ?? { open, ...promise() };
    this.busy.set(open.doc, entry);
    return (stored) => {
      open.pending -= 1;
      if (!stored) open.broken = true;
      if (open.pending > 0) return;
      this.busy.delete(open.doc);
      if (open.broken) this.cache.delete(open.doc);
      // Set again, because it has grown; one that is larger than the whole cache is not kept.
      else this.cache.set(open.doc, open);
      this.retire(open);
      entry.settle();
    };
  }

  /** No longer trusted: loaded anew when it is next asked for. */
  discard(open: OpenDocument): void {
    open.broken = true;
    if (this.cache.peek(open.doc) === open) this.cache.delete(open.doc);
    this.retire(open);
  }

  close(): void {
    this.cache.clear();
  }

  /** Gives a document's memory back once nobody can be in the middle of using it, unless it is in use again. */
  private retire(open: OpenDocument): void {
    setImmediate(() => {
      if (open.pending === 0 && this.cache.peek(open.doc) !== open) open.close();
    });
  }

  private load(row: Pick<DocumentRow, "doc" | "kind" | "key">): Result<OpenDocument, Refusal> {
    const changes = this.stored.changes(row.doc);
    const replica = this.replay(row.doc);
    if (replica === null) return err({ code: "doc.damaged" });
    const heads = new Set(changes.map(({ hash }) => hash));
    for (const { deps } of changes) for (const dep of deps) heads.delete(dep);
    const loaded = A.getHeads(replica);
    if (loaded.length !== heads.size || !loaded.every((head) => heads.has(head))) {
      A.free(replica);
      return err({ code: "doc.damaged" });
    }
    const open = new OpenDocument(row.doc, row.kind, row.key, replica, changes);
    this.cache.set(row.doc, open);
    return ok(open);
  }

  /** Loads from the snapshot and what came after it, else from every change; null where a change itself is torn. */
  private replay(doc: string): Replica | null {
    const snapshot = this.stored.snapshot(doc);
    if (snapshot !== undefined) {
      const after = this.stored.bytesSince(doc, snapshot.through + 1);
      if (!after.every(({ bytes }) => soundChunks(bytes))) return null;
      const replica = soundChunks(snapshot.bytes)
        ? loadChunks([snapshot.bytes, ...after.map(({ bytes }) => bytes)])
        : null;
      if (replica !== null) return replica;
      this.onBadSnapshot(doc, "it cannot be loaded");
    }
    const all = this.stored.bytesSince(doc, 0).map(({ bytes }) => bytes);
    return all.every((bytes) => soundChunks(bytes)) ? loadChunks(all) : null;
  }
}

/** Loads concatenated chunks in one go, as `loadIncremental` on an empty document would not: that hides bad bytes. */
export function loadChunks(chunks: readonly Uint8Array[]): Replica | null {
  try {
    return A.load<Record<string, unknown>>(Buffer.concat(chunks));
  } catch {
    return null;
  }
}

function promise() {
  const { promise: idle, resolve: settle } = Promise.withResolvers<void>();
  return { idle, settle };
}
