import * as A from "@automerge/automerge/slim";
import { bestMs, utcFromMs } from "../core/clock.ts";
import { concatBytes } from "../core/hash.ts";
import { err, ok } from "../core/result.ts";
import type { ChangesItem, Role } from "../wire/messages.ts";
import type { Author } from "./authorship.ts";
import { readChunks, type Chunk } from "./chunk.ts";
import { foldWhenMany, forget, keepChunk } from "./chunk-keeping.ts";
import { documentId } from "./document-id.ts";
import type { DocumentStore, FeedPart } from "./document-store.ts";
import { isDocumentKind } from "./kinds.ts";
import { chunkName, emptyEntry, FIRST_NUMBER, keys, type Entry } from "./local-index.ts";
import { isComplete, takeChunks } from "./replica-loading.ts";
import { resetDocument } from "./reset.ts";
import { summarize, type Draft, type Shelf } from "./shelf.ts";

export interface IntakeDeps {
  readonly shelf: Shelf;
  readonly author: () => Author & { readonly role: Role };
  readonly changed: (docs: readonly string[]) => void;
  readonly work: () => void;
  /** There are documents whose summary is older than their content. */
  readonly stale: () => void;
}

type Intake = Pick<
  DocumentStore,
  | "cursor"
  | "identify"
  | "idOf"
  | "all"
  | "unsent"
  | "stored"
  | "reset"
  | "receive"
  | "doubted"
  | "doubtAll"
  | "headsOf"
  | "repair"
>;

/** A document on its way through one part of the feed. `entry` null: it leaves. */
interface Arriving {
  readonly entry: Entry | null;
  readonly chunks: readonly Chunk[];
  /** Hashes of the changes that came, and how many unsent changes they leave. */
  readonly arrived: ReadonlySet<string>;
  readonly unsent: number;
}

/** What comes from the relay: the feed, answers to pushes, repairs. The side of the store that syncing sees. */
export function createIntake({ shelf, author, changed, work, stale }: IntakeDeps): Intake {
  const { deps, index } = shelf;

  return {
    cursor: () => shelf.cursor(),
    identify: (doc) => index.get(doc),
    idOf: (kind, key) => documentId(deps.identity.workspace, kind, key),
    all: () => [...index.keys()],
    unsent: (doc) => shelf.unsentOf(doc),
    doubted: () => [...index].filter(([, entry]) => entry.doubted && !entry.hidden).map(([doc]) => doc),
    doubtAll: async () => {
      await shelf.lockedAll([...index.keys()], async () => {
        const draft = shelf.begin();
        for (const [doc, entry] of index) if (!entry.doubted) draft.entry(doc, { ...entry, doubted: true });
        await draft.commit();
      });
      work();
    },
    headsOf: (doc) => shelf.locked(doc, async () => (index.has(doc) ? A.getHeads(await shelf.open(doc)) : [])),
    stored: (doc, hashes) =>
      shelf.locked(doc, async () => {
        const entry = index.get(doc);
        if (entry === undefined) return;
        const draft = shelf.begin();
        const { next, left } = settleStored(draft, doc, entry, new Set(hashes));
        if (entry.hidden && left === 0) forget(draft, doc, next);
        else if (next !== entry) draft.entry(doc, next);
        await draft.commit();
        if (!index.has(doc)) shelf.evict(doc);
        changed([doc]);
      }),
    receive: async (parts) => {
      const docs = parts.flatMap((part) => [...part.items.map((item) => item.doc), ...part.leave]);
      const touched = [...new Set(docs)];
      await shelf.lockedAll(touched, async () => {
        try {
          await receive(parts);
        } catch (error) {
          // Open replicas may be ahead of what is durable: they are read again.
          for (const doc of touched) shelf.evict(doc);
          throw error;
        }
      });
      changed(touched);
      stale();
      if (touched.some((doc) => index.get(doc)?.doubted)) work();
    },
    repair: (doc, relay) =>
      shelf.locked(doc, async () => {
        if (!index.has(doc)) return ok(undefined);
        const opened = await shelf.open(doc);
        const entry = index.get(doc) as Entry;
        const bytes = relay?.bytes ?? new Uint8Array();
        const { chunks, damage } = readChunks(bytes);
        const heads = [...(relay?.heads ?? [])];
        let replica = opened;
        try {
          replica = takeChunks(opened, chunks);
          shelf.put(doc, replica);
        } catch {
          shelf.evict(doc);
          return err({ code: "still-damaged" });
        }
        if (damage !== null || !isComplete(replica, heads)) return err({ code: "still-damaged" });
        const draft = shelf.begin();
        const unsent = shelf.unsentOf(doc);
        const known = new Set(unsent.flatMap((record) => record.hashes));
        const beyond = A.getChangesSince(replica, heads)
          .map((change) => ({ change, hash: A.decodeChange(change).hash }))
          .filter(({ hash }) => !known.has(hash));
        if (beyond.length > 0) {
          // Before all others: what is unsent was written on top of them.
          const { kind, key } = entry;
          draft.addUnsent(doc, {
            kind,
            key,
            number: (unsent[0]?.number ?? FIRST_NUMBER) - 1,
            hashes: beyond.map(({ hash }) => hash),
            bytes: concatBytes(...beyond.map(({ change }) => change)),
            at: utcFromMs(bestMs(deps.clock, deps.anchor())),
            edits: [],
          });
        }
        const isDocument = chunks.some(({ type }) => type === "document");
        const kept = bytes.length === 0 ? entry : keepChunk(draft, doc, entry, isDocument ? "s" : "c", bytes);
        draft.entry(doc, { ...kept, ...summarize(replica, entry.kind, deps), doubted: false });
        await draft.commit();
        changed([doc]);
        work();
        return ok(undefined);
      }),
    reset: (doc, refusals, relay) =>
      shelf.locked(doc, async () => {
        if (!index.has(doc)) return;
        await resetDocument({ shelf, author: author(), doc, refusals, relay });
        changed([doc]);
        work();
      }),
  };

  /** Unsent changes that the relay holds become ordinary chunks. */
  function settleStored(draft: Draft, doc: string, entry: Entry, hashes: ReadonlySet<string>) {
    let next = entry;
    let left = 0;
    for (const record of shelf.unsentOf(doc)) {
      if (!record.hashes.every((hash) => hashes.has(hash))) {
        left += 1;
        continue;
      }
      next = keepChunk(draft, doc, next, "c", record.bytes);
      draft.dropUnsent(doc, record.number);
    }
    return { next, left };
  }

  async function receive(parts: readonly FeedPart[]) {
    const draft = shelf.begin();
    const arriving = new Map<string, Arriving>();
    for (const part of parts) {
      for (const item of part.items) take(draft, arriving, item);
      for (const doc of part.leave) leave(draft, arriving, doc);
    }
    for (const [doc, { entry, chunks }] of arriving) {
      if (entry === null) {
        shelf.evict(doc);
        continue;
      }
      const opened = shelf.opened(doc);
      if (opened === undefined) {
        draft.entry(doc, { ...entry, stale: true });
        continue;
      }
      let replica = opened;
      let readable = true;
      try {
        replica = takeChunks(opened, chunks);
      } catch {
        readable = false;
      }
      shelf.put(doc, replica);
      const doubted = entry.doubted || !readable || !isComplete(replica, entry.heads);
      const read = { ...entry, ...summarize(replica, entry.kind, deps), doubted };
      draft.entry(doc, foldWhenMany(shelf, draft, doc, read, replica));
    }
    const last = parts.at(-1);
    if (last !== undefined) draft.cursor(last.cursor);
    await draft.commit();
  }

  function take(draft: Draft, arriving: Map<string, Arriving>, item: ChangesItem) {
    const { doc, kind, key } = item;
    // A newer relay may know kinds that this version does not: they are not for it.
    if (!isDocumentKind(kind) || documentId(deps.identity.workspace, kind, key) !== doc) return;
    const before = arriving.get(doc) ?? arrivingFrom(doc);
    const { chunks, damage } = readChunks(item.bytes);
    let entry = before.entry ?? emptyEntry(kind, key);
    let { arrived, unsent } = before;
    if (damage === null) {
      entry = keepChunk(draft, doc, entry, item.snapshot ? "s" : "c", item.bytes);
      arrived = new Set([...before.arrived, ...chunks.flatMap(({ hash }) => hash ?? [])]);
      const settled = settleStored(draft, doc, entry, arrived);
      entry = settled.next;
      unsent = settled.left;
    } else {
      const name = chunkName("q", item.bytes);
      draft.write(keys.chunk(doc, name), item.bytes);
      entry = { ...entry, quarantined: [...new Set([...entry.quarantined, name])], doubted: true };
    }
    const good = damage === null ? chunks : [];
    arriving.set(doc, { entry: { ...entry, hidden: false }, chunks: [...before.chunks, ...good], arrived, unsent });
  }

  function leave(draft: Draft, arriving: Map<string, Arriving>, doc: string) {
    const before = arriving.get(doc) ?? arrivingFrom(doc);
    if (before.entry === null) return;
    if (before.unsent > 0) {
      arriving.set(doc, { ...before, entry: { ...before.entry, hidden: true } });
      return;
    }
    forget(draft, doc, before.entry);
    arriving.set(doc, { ...before, entry: null, chunks: [] });
  }

  function arrivingFrom(doc: string): Arriving {
    const unsent = shelf.unsentOf(doc).length;
    return { entry: index.get(doc) ?? null, chunks: [], arrived: new Set(), unsent };
  }
}
