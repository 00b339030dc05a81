import {
  encodeFrame,
  FOLDING_WORDS,
  foldingWords,
  limits,
  type Bundle,
  type BundledDocument,
} from "@sampai/engine/wire";
import { createHash } from "node:crypto";
import { constants, deflateRawSync } from "node:zlib";
import type { Clock } from "@sampai/engine/core";
import type { Writer } from "../database/writer.ts";
import type { MadeBundle } from "./operations.ts";
import type { DocumentRegistry } from "./registry.ts";
import type { BundleRow, DocumentRow, StoredDocuments } from "./stored-documents.ts";

/** Documents fold to half when they fold together, and once is enough for all phones. */
export interface BundlesDeps {
  readonly writer: Writer;
  readonly clock: Pick<Clock, "after">;
  readonly stored: StoredDocuments;
  readonly registry: DocumentRegistry;
  /** Resolves when no snapshot is being made. */
  readonly settled: () => Promise<void>;
  readonly onBroken: (error: unknown) => void;
}

/** What was compacted waits for its neighbours so long. */
const REST_MS = 500;
/** A document above this, as it is compacted, travels by itself. */
const MOST_DOCUMENT_BYTES = 16_384;
/** Documents that are tried first in one bundle, and at most read for one. */
const FIRST_TRY = 12;
const READ_AHEAD = 24;

/**
 * Keeps compacted documents of one audience folded together, each bundle as large as one feed frame may be: a phone
 * that gets a whole territory costs one read and one send a bundle. Bundles are derived: one that is missing, old or
 * damaged is made again from snapshots, and what changed since it was made is sent beside it.
 */
export class Bundles {
  private readonly bundleOf = new Map<string, BundleRow>();
  private readonly waiting = new Set<string>();
  private readonly deps: BundlesDeps;
  private running: Promise<void> | null = null;
  private cancel: (() => void) | null = null;
  private stopped = false;

  constructor(deps: BundlesDeps) {
    this.deps = deps;
    for (const bundle of deps.stored.bundles()) this.index(bundle);
    for (const doc of deps.stored.withSnapshot()) if (!this.bundleOf.has(doc)) this.wake(doc);
  }

  /** A document was compacted, or changed hands: its bundle is made anew when the relay has rested. */
  wake(doc: string): void {
    if (this.stopped) return;
    this.waiting.add(doc);
    if (this.running !== null) return;
    this.cancel ??= this.deps.clock.after(REST_MS, () => {
      this.cancel = null;
      this.running = this.run()
        .catch(this.deps.onBroken)
        .finally(() => {
          this.running = null;
          const [more] = this.waiting;
          if (more !== undefined) this.wake(more);
        });
    });
  }

  /** The bundles of which every document is among these, and the documents that are in none of them. */
  divide(docs: readonly string[]): { readonly bundles: readonly BundleRow[]; readonly single: readonly string[] } {
    const wanted = new Set(docs);
    const bundles = new Set<BundleRow>();
    for (const doc of docs) {
      const bundle = this.bundleOf.get(doc);
      if (bundle?.documents.every(([member]) => wanted.has(member)) === true) bundles.add(bundle);
    }
    const bundled = new Set([...bundles].flatMap(({ documents }) => documents.map(([doc]) => doc)));
    return { bundles: [...bundles], single: docs.filter((doc) => !bundled.has(doc)) };
  }

  /** A bundle's bytes; undefined where they are gone or damaged, and then it is made again. */
  read({ bundle, documents }: BundleRow): Bundle | undefined {
    const row = this.deps.stored.bundle(bundle);
    if (row !== undefined && sha256(row.deflated) === row.sha256) {
      return { deflated: row.deflated, length: row.length, words: FOLDING_WORDS };
    }
    for (const [doc] of documents) this.wake(doc);
    return undefined;
  }

  /** Resolves when nothing waits to be bundled. */
  async idle(): Promise<void> {
    while (this.running !== null || this.waiting.size > 0) {
      await (this.running ?? new Promise<void>((resolve) => this.deps.clock.after(REST_MS, resolve)));
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    this.waiting.clear();
    await this.running;
  }

  private async run(): Promise<void> {
    await this.deps.settled();
    const woken = [...this.waiting];
    this.waiting.clear();
    // A bundle is made anew as a whole, and one that has room takes newcomers in.
    const old = new Set([...woken.flatMap((doc) => this.bundleOf.get(doc) ?? []), ...this.smallOnes(woken)]);
    const docs = new Set([...woken, ...[...old].flatMap(({ documents }) => documents.map(([doc]) => doc))]);
    const made: MadeBundle[] = [];
    for (const together of this.audiences(docs)) made.push(...(await this.fold(together)));
    if (this.stopped) return;
    const gone = [...old].map(({ bundle }) => bundle);
    const ids = await this.deps.writer.run("replaceBundles", { gone, made });
    for (const { documents } of old) for (const [doc] of documents) this.bundleOf.delete(doc);
    for (const [index, { documents }] of made.entries()) this.index({ bundle: ids[index] as number, documents });
  }

  private index(bundle: BundleRow): void {
    for (const [doc] of bundle.documents) this.bundleOf.set(doc, bundle);
  }

  /** Bundles of the same audiences that are far from full. */
  private smallOnes(docs: readonly string[]): Set<BundleRow> {
    const audiences = new Set(docs.map((doc) => audienceOf(this.deps.registry.get(doc))));
    const small = new Set<BundleRow>();
    for (const bundle of this.bundleOf.values()) {
      const [first] = bundle.documents;
      const isSmall = bundle.documents.length < FIRST_TRY / 2;
      if (isSmall && first !== undefined && audiences.has(audienceOf(this.deps.registry.get(first[0]))))
        small.add(bundle);
    }
    return small;
  }

  private audiences(docs: Iterable<string>): readonly DocumentRow[][] {
    const together = new Map<string, DocumentRow[]>();
    for (const doc of [...docs].sort()) {
      const row = this.deps.registry.get(doc);
      const audience = audienceOf(row);
      if (row === undefined || audience === null) continue;
      together.set(audience, [...(together.get(audience) ?? []), row]);
    }
    return [...together.values()];
  }

  /** Folds the documents in their order, as many into each bundle as a frame holds. */
  private async fold(rows: readonly DocumentRow[]): Promise<MadeBundle[]> {
    const made: MadeBundle[] = [];
    const left = [...rows];
    const ready: Compacted[] = [];
    while (!this.stopped) {
      while (ready.length < READ_AHEAD) {
        const row = left.shift();
        if (row === undefined) break;
        const snapshot = this.deps.stored.snapshot(row.doc);
        if (snapshot === undefined || snapshot.bytes.length > MOST_DOCUMENT_BYTES) continue;
        const { through, bytes } = snapshot;
        ready.push({ doc: row.doc, item: { kind: row.kind, key: row.key, position: through, bytes } });
      }
      if (ready.length < 2) break;
      const bundle = largestBundle(ready);
      ready.splice(0, Math.max(1, bundle.documents.length));
      if (bundle.documents.length > 1) made.push(bundle);
      await new Promise(setImmediate);
    }
    return made;
  }
}

interface Compacted {
  readonly doc: string;
  readonly item: BundledDocument;
}

function largestBundle(ready: readonly Compacted[]): MadeBundle {
  let count = Math.min(FIRST_TRY, ready.length);
  let largest = foldTogether(ready.slice(0, count));
  while (largest.deflated.length > limits.feedBytes && count > 1) {
    count -= 1;
    largest = foldTogether(ready.slice(0, count));
  }
  for (; count < ready.length; count += 1) {
    const larger = foldTogether(ready.slice(0, count + 1));
    if (larger.deflated.length > limits.feedBytes) break;
    largest = larger;
  }
  return largest;
}

function foldTogether(compacted: readonly Compacted[]): MadeBundle {
  const plain = encodeFrame(compacted.map(({ item }) => item));
  const deflated = deflateRawSync(plain, { dictionary: foldingWords, level: constants.Z_BEST_COMPRESSION });
  const documents = compacted.map(({ doc, item }) => [doc, item.position] as const);
  return { documents, length: plain.length, deflated, sha256: sha256(deflated) };
}

/** Who gets a document together with which others: a store goes to its territory, everything else to its owner. */
function audienceOf(row: DocumentRow | undefined): string | null {
  if (row === undefined || row.tombstone !== null) return null;
  const name = row.kind === "store" ? row.territory : row.owner;
  return name === null ? null : `${row.kind}/${name}`;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
