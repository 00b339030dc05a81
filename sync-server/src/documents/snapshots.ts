import * as A from "@automerge/automerge/slim";
import type { Clock } from "@sampai/engine/core";
import type { Writer } from "../database/writer.ts";
import { loadChunks, type OpenDocuments } from "./open-documents.ts";
import type { StoredChanges } from "./push.ts";
import type { DocumentRegistry } from "./registry.ts";

/** What a document has grown by when a snapshot of it is worth making, once nobody writes in it for a second. */
const CHANGES = 20;
const BYTES = 8_192;
const REST_MS = 1_000;
/** What it has grown by when that is not waited for. */
const MOST_CHANGES = 400;
const MOST_BYTES = 65_536;

/**
 * Compacts documents in the background, so that a cold phone gets each in one piece. Every snapshot is loaded once
 * before it is stored, and the changes that it stands for stay.
 */
export class Snapshots {
  private readonly grown = new Map<string, { changes: number; bytes: number }>();
  /** Grown documents, by the tick at which they will have rested. */
  private readonly resting = new Map<string, number>();
  private cancelLook: (() => void) | null = null;
  private readonly queue = new Set<string>();
  private running: Promise<void> | null = null;
  private stopped = false;
  private readonly deps: {
    readonly clock: Pick<Clock, "tickMs" | "after">;
    readonly writer: Writer;
    readonly registry: DocumentRegistry;
    readonly open: OpenDocuments;
    /** The document's new snapshot is stored. */
    readonly onMade: (doc: string) => void;
    readonly onBroken: (doc: string, error: unknown) => void;
  };

  constructor(deps: Snapshots["deps"]) {
    this.deps = deps;
  }

  /**
   * Counts what was stored. A document that has grown enough is compacted when it rests: while it is written in, each
   * compaction would take the time of a dozen changes and be old at once.
   */
  stored({ row, changes }: StoredChanges): void {
    const grown = this.grown.get(row.doc) ?? { changes: 0, bytes: 0 };
    grown.changes += changes.length;
    for (const { bytes } of changes) grown.bytes += bytes.length;
    this.grown.set(row.doc, grown);
    if (grown.changes >= MOST_CHANGES || grown.bytes >= MOST_BYTES) this.request(row.doc);
    else if (grown.changes >= CHANGES || grown.bytes >= BYTES) this.rest(row.doc);
  }

  request(doc: string): void {
    if (this.stopped) return;
    this.resting.delete(doc);
    this.queue.add(doc);
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
  }

  /** Compacts all that has grown enough, rested or not. Resolves when nothing is left. */
  async idle(): Promise<void> {
    for (const doc of this.resting.keys()) this.request(doc);
    while (this.running !== null) await this.running;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelLook?.();
    this.resting.clear();
    this.queue.clear();
    await this.idle();
  }

  private rest(doc: string): void {
    this.resting.set(doc, this.deps.clock.tickMs() + REST_MS);
    this.cancelLook ??= this.deps.clock.after(REST_MS, () => this.look());
  }

  private look(): void {
    const nowMs = this.deps.clock.tickMs();
    for (const [doc, restedMs] of this.resting) if (restedMs <= nowMs) this.request(doc);
    this.cancelLook = this.resting.size === 0 ? null : this.deps.clock.after(REST_MS, () => this.look());
  }

  private async run(): Promise<void> {
    for (const doc of this.queue) {
      await new Promise(setImmediate);
      this.queue.delete(doc);
      try {
        await this.compact(doc);
      } catch (error) {
        this.deps.onBroken(doc, error);
      }
    }
  }

  private async compact(doc: string): Promise<void> {
    const known = this.deps.registry.get(doc);
    if (known === undefined) return;
    const opened = await this.deps.open.open(known);
    if (!opened.ok) return;
    const row = this.deps.registry.get(doc);
    const { heads } = opened.value;
    if (row === undefined || opened.value.pending > 0 || !sameHeads(heads, row.heads)) {
      // With a commit under way the memory is ahead of the store: the change that is coming asks again.
      this.grown.set(doc, { changes: CHANGES, bytes: 0 });
      return;
    }
    // Not compressed by itself: documents of one frame fold together to half of what each folds to alone.
    const bytes = A.getBackend(opened.value.replica).saveNoCompress();
    const loaded = loadChunks([bytes]);
    if (loaded === null || !sameHeads(A.getHeads(loaded), heads)) {
      throw new Error("a snapshot of this document cannot be loaded: its changes stay as they are");
    }
    A.free(loaded);
    this.grown.delete(doc);
    await this.deps.writer.run("putSnapshot", { doc, through: row.last, heads, bytes });
    this.deps.onMade(doc);
  }
}

function sameHeads(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((head) => b.includes(head));
}
