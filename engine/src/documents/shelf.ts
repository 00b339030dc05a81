import * as A from "@automerge/automerge/slim";
import { assert } from "../core/assert.ts";
import { inSlices } from "../core/slices.ts";
import { bytesToHex, sha256Bytes, utf8ToBytes } from "../core/hash.ts";
import type { StorageWrite } from "../storage/storage.ts";
import type { FeedCursor } from "../wire/messages.ts";
import type { DocumentsDeps } from "./document-store.ts";
import type { DocumentKind, NeedsYou, Scalar } from "./documents.ts";
import { schemaHashes, type Replica } from "./genesis.ts";
import { documentKinds } from "./kinds.ts";
import {
  decodeCursor,
  decodeEntry,
  decodeNeed,
  decodeUnsent,
  emptyEntry,
  encodeCursor,
  encodeDigest,
  encodeEntry,
  encodeNeed,
  encodeUnsent,
  keys,
  toggle,
  type Entry,
  type Unsent,
} from "./local-index.ts";
import { buildReplica, type LoadedReplica } from "./replica-loading.ts";
import { valueOf } from "./view.ts";

/** Documents kept open at once: enough for a visit and its neighbours, about 40 KB each. */
const OPEN_DOCUMENTS = 24;

/** A refused edit with the place where it is kept. */
interface Need {
  readonly number: number;
  readonly need: NeedsYou;
}

/**
 * The documents of this device: the index in memory, the open ones, one lock per document. Memory follows storage:
 * every change goes through a `Draft` whose commit comes first.
 */
export interface Shelf {
  readonly deps: DocumentsDeps;
  readonly index: ReadonlyMap<string, Entry>;
  readonly needs: readonly Need[];
  cursor(): FeedCursor | null;
  unsentOf(doc: string): readonly Unsent[];
  /** Runs alone on this document: one lock covers edits, feed, push answers and opening. */
  locked<T>(doc: string, run: () => Promise<T>): Promise<T>;
  lockedAll<T>(docs: readonly string[], run: () => Promise<T>): Promise<T>;
  /** The open document, opened where it is not. Call it under the lock. */
  open(doc: string): Promise<Replica>;
  /** Like `open`, but keeps nothing that was not open before, and leaves unsent changes out where told to. */
  load(doc: string, entry: Entry, withUnsent: boolean): Promise<LoadedReplica>;
  /** The replica if it is open. */
  opened(doc: string): Replica | undefined;
  put(doc: string, replica: Replica): void;
  /** Forgets the open replica; the next `open` reads storage again. */
  evict(doc: string): void;
  begin(): Draft;
  /** A new actor: a prefix that names the device, then random bits. */
  newActor(): string;
}

/** What one commit changes. Nothing is visible before it is durable. */
export interface Draft {
  entry(doc: string, entry: Entry | null): void;
  addUnsent(doc: string, unsent: Unsent): void;
  dropUnsent(doc: string, number: number): void;
  addNeed(need: NeedsYou): void;
  dropNeed(need: Need): void;
  write(key: string, value: Uint8Array | null): void;
  cursor(cursor: FeedCursor): void;
  commit(): Promise<void>;
}

export async function openShelf(deps: DocumentsDeps): Promise<Shelf> {
  const { storage, random, identity } = deps;
  const index = new Map<string, Entry>();
  const unsent = new Map<string, Unsent[]>();
  const needs: Need[] = [];
  const open = new Map<string, Replica>();
  const locks = new Map<string, Promise<unknown>>();
  const devicePrefix = bytesToHex(sha256Bytes(utf8ToBytes(identity.device)).slice(0, 8));
  let nextNeed = 1;
  let digest = 0n;

  for await (const { key, value } of inSlices(await storage.range(keys.index), deps.clock)) {
    const entry = decodeEntry(value);
    if (entry === null) continue;
    const doc = key.slice(keys.index.length);
    index.set(doc, entry);
    digest = toggle(digest, doc);
  }
  const kept = await storage.get(keys.digest);
  const expected = index.size === 0 && kept === undefined ? undefined : encodeDigest(digest);
  let digestMatches = bytesToHex(kept ?? new Uint8Array()) === bytesToHex(expected ?? new Uint8Array());
  for await (const { key, value } of inSlices(await storage.range(keys.unsent), deps.clock)) {
    const record = decodeUnsent(value);
    const doc = key.slice(keys.unsent.length, key.lastIndexOf("/"));
    if (record === null) continue;
    unsent.set(doc, [...(unsent.get(doc) ?? []), record]);
    // Its row in the index is lost: the relay is asked for the document, and the edit stays.
    if (index.has(doc)) continue;
    index.set(doc, { ...emptyEntry(record.kind, record.key), stale: true, doubted: true });
    digest = toggle(digest, doc);
  }
  for await (const { key, value } of inSlices(await storage.range(keys.needs), deps.clock)) {
    const need = decodeNeed(value);
    const number = Number(key.slice(key.lastIndexOf("/") + 1));
    nextNeed = Math.max(nextNeed, number + 1);
    if (need !== null) needs.push({ number, need });
  }
  needs.sort((a, b) => a.number - b.number);
  const cursorBytes = await storage.get(keys.cursor);
  // An index that lost rows cannot know what it lacks: the whole feed is asked for again.
  let cursor = digestMatches && cursorBytes !== undefined ? decodeCursor(cursorBytes) : null;

  const shelf: Shelf = {
    deps,
    index,
    needs,
    cursor: () => cursor,
    unsentOf: (doc) => unsent.get(doc) ?? [],
    locked: (doc, run) => {
      const before = locks.get(doc) ?? Promise.resolve();
      const mine = before.then(run);
      const settled = mine.then(
        () => undefined,
        () => undefined,
      );
      locks.set(doc, settled);
      void settled.then(() => {
        if (locks.get(doc) === settled) locks.delete(doc);
      });
      return mine;
    },
    lockedAll: (docs, run) => {
      // Always in the same order, so that two callers cannot wait for each other.
      const [first, ...others] = [...new Set(docs)].sort();
      if (first === undefined) return run();
      return shelf.locked(first, () => shelf.lockedAll(others, run));
    },
    open: async (doc) => {
      const here = open.get(doc);
      if (here !== undefined) {
        open.delete(doc);
        open.set(doc, here);
        return here;
      }
      const entry = index.get(doc);
      assert(entry !== undefined, `document ${doc} is in the index`);
      const loaded = await shelf.load(doc, entry, true);
      if (!loaded.whole) await quarantine(doc, entry, loaded);
      shelf.put(doc, loaded.replica);
      return loaded.replica;
    },
    load: async (doc, entry, withUnsent) => {
      const content = await storage.range(keys.content(doc));
      return buildReplica(doc, entry, content, withUnsent ? shelf.unsentOf(doc) : [], shelf.newActor());
    },
    opened: (doc) => open.get(doc),
    put: (doc, replica) => {
      open.delete(doc);
      open.set(doc, replica);
      for (const [other, oldest] of open) {
        if (open.size <= OPEN_DOCUMENTS) break;
        if (locks.has(other)) continue;
        open.delete(other);
        A.free(oldest);
      }
    },
    evict: (doc) => void open.delete(doc),
    newActor: () => devicePrefix + bytesToHex(random.bytes(8)),
    begin,
  };
  return shelf;

  /** Puts damaged chunks aside first, so that a repair is not undone by the same bytes at the next start. */
  async function quarantine(doc: string, entry: Entry, loaded: LoadedReplica) {
    const draft = begin();
    for (const { name, bytes } of loaded.damaged) {
      draft.write(keys.chunk(doc, name), null);
      draft.write(keys.chunk(doc, `q/${name.slice(2)}`), bytes);
    }
    const aside = loaded.damaged.map(({ name }) => `q/${name.slice(2)}`);
    const quarantined = [...new Set([...entry.quarantined, ...aside])];
    draft.entry(doc, { ...entry, chunks: [...loaded.found], quarantined, doubted: true });
    await draft.commit();
  }

  function begin(): Draft {
    const writes: StorageWrite[] = [];
    const apply: (() => void)[] = [];
    const arrivals = new Map<string, boolean>();
    let next: FeedCursor | null = null;
    const write = (key: string, value: Uint8Array | null) => void writes.push({ key, value });
    return {
      write,
      entry: (doc, entry) => {
        write(keys.entry(doc), entry === null ? null : encodeEntry(entry));
        arrivals.set(doc, entry !== null);
        apply.push(() => void (entry === null ? index.delete(doc) : index.set(doc, entry)));
      },
      addUnsent: (doc, record) => {
        write(keys.unsentAt(doc, record.number), encodeUnsent(record));
        apply.push(() => {
          const others = (unsent.get(doc) ?? []).filter((other) => other.number !== record.number);
          unsent.set(
            doc,
            [...others, record].sort((a, b) => a.number - b.number),
          );
        });
      },
      dropUnsent: (doc, number) => {
        write(keys.unsentAt(doc, number), null);
        apply.push(() => {
          const others = (unsent.get(doc) ?? []).filter((other) => other.number !== number);
          if (others.length === 0) unsent.delete(doc);
          else unsent.set(doc, others);
        });
      },
      addNeed: (need) => {
        const number = nextNeed;
        nextNeed += 1;
        write(keys.need(need.doc, number), encodeNeed(need));
        apply.push(() => void needs.push({ number, need }));
      },
      dropNeed: (dropped) => {
        write(keys.need(dropped.need.doc, dropped.number), null);
        apply.push(() => void needs.splice(needs.indexOf(dropped), 1));
      },
      cursor: (at) => {
        next = at;
        write(keys.cursor, encodeCursor(at));
      },
      commit: async () => {
        const moved = [...arrivals].filter(([doc, here]) => index.has(doc) !== here).map(([doc]) => doc);
        for (const doc of moved) digest = toggle(digest, doc);
        if (moved.length > 0 || (next !== null && !digestMatches)) write(keys.digest, encodeDigest(digest));
        if (writes.length === 0) return;
        try {
          await storage.commit(writes);
        } catch (error) {
          for (const doc of moved) digest = toggle(digest, doc);
          throw error;
        }
        for (const run of apply) run();
        if (next === null) return;
        cursor = next;
        digestMatches = true;
      },
    };
  }
}

/** What the index says of a replica: heads and the fields that lists show. */
export function summarize(
  replica: Replica,
  kind: DocumentKind,
  deps: DocumentsDeps,
): Pick<Entry, "summary" | "heads" | "stale"> {
  const summary: Record<string, Scalar> = {};
  if (A.hasHeads(replica, [schemaHashes(kind)[0] as string])) {
    const rules = deps.rules();
    for (const field of documentKinds[kind].summary) summary[field] = valueOf(replica, kind, field, rules);
  }
  return { summary, heads: A.getHeads(replica), stale: false };
}
