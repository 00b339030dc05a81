import { readingRules, utcFromMs, type Clock, type ReadingRules } from "@sampai/engine";
import { startAutomerge } from "@sampai/engine/adapters/automerge";
import type { DatabaseSync } from "node:sqlite";
import type { Writer } from "../database/writer.ts";
import { packsOf, type StoredPacks } from "../reference/stored-packs.ts";
import type { Connection } from "../relay/part.ts";
import { Bundles } from "./bundles.ts";
import { Feed } from "./feed.ts";
import { createFeedItems, type FeedItems } from "./feed-items.ts";
import { OpenDocuments } from "./open-documents.ts";
import type { PushDeps, StoredChanges } from "./push.ts";
import { DocumentRegistry } from "./registry.ts";
import { Snapshots } from "./snapshots.ts";
import type { Viewer } from "./scope.ts";
import { Viewers } from "./viewers.ts";
import { createStoredDocuments, type DocumentRow, type StoredDocuments } from "./stored-documents.ts";

// Once for the process: whoever imports the documents room can open documents.
await startAutomerge();

/** What documents need of a data folder: a relay's context has it, and so has a command's folder. */
export interface DocumentFolder {
  readonly workspace: { readonly id: string };
  readonly writer: Writer;
  readonly db: DatabaseSync;
  /** The current term of the order log; it may become another one. */
  readonly term: string;
  readonly clock: Pick<Clock, "wallMs" | "tickMs" | "after">;
  readonly log: { error(detail: object, message: string): void };
  /** Bytes of documents in memory, by estimate. */
  readonly openBytes?: number;
}

const OPEN_BYTES = 16 * 1_024 * 1_024;
/** Names are read again when they are older than this. */
const NAMES_MS = 5_000;

/** Everything that the documents of one data folder share. */
export interface DocumentHost extends PushDeps {
  readonly viewers: Viewers;
  readonly feed: Feed;
  readonly items: FeedItems;
  readonly snapshots: Snapshots;
  readonly bundles: Bundles;
  /** Deletes a document for everybody: it leaves every phone. What was stored stays. False where it is buried already. */
  bury(row: DocumentRow, by: string, reason: string): Promise<boolean>;
  /** Called with a document's id after its changes were stored or it was buried. The answer stops it. */
  onChange(listener: (doc: string) => void): () => void;
  /** Called with a connected person whose territories are others than before. The answer stops it. */
  onMoved(listener: (viewer: Viewer) => void): () => void;
  stop(): Promise<void>;
}

const hosts = new WeakMap<Writer, DocumentHost>();

/** The documents of a data folder: made once for its writer. */
export function documentsOf(folder: DocumentFolder): DocumentHost {
  const host = hosts.get(folder.writer) ?? createHost(folder);
  hosts.set(folder.writer, host);
  return host;
}

function createHost(folder: DocumentFolder): DocumentHost {
  const { writer, db, clock, log } = folder;
  const stored = createStoredDocuments(db);
  const registry = new DocumentRegistry(stored.all());
  const note = (doc: string, detail: Record<string, unknown>) => {
    log.error({ doc, ...detail }, "a stored document is damaged");
    const row = { topic: "document.refused", device: null, item: doc, detail } as const;
    writer.run("note", { rows: [row] }).catch((error: unknown) => log.error({ error: String(error) }, "no trail row"));
  };
  const damaged = new Set<string>();
  const open = new OpenDocuments(stored, folder.openBytes ?? OPEN_BYTES, (doc, why) => {
    writer.run("dropSnapshot", { doc, why }).catch((error: unknown) => log.error({ doc, error: String(error) }, why));
    snapshots.request(doc);
  });
  const snapshots = new Snapshots({
    clock,
    writer,
    registry,
    open,
    onMade: (doc) => bundles.wake(doc),
    onBroken: (doc, error) => note(doc, { code: "doc.damaged", error: String(error).slice(0, 200) }),
  });
  const bundles = new Bundles({
    writer,
    clock,
    stored,
    registry,
    settled: () => snapshots.idle(),
    onBroken: (error) => log.error({ error: String(error) }, "documents could not be bundled"),
  });
  const items = createFeedItems({
    stored,
    onStale: (doc) => snapshots.request(doc),
    onDamaged: (doc) => {
      if (!damaged.has(doc)) note(doc, { code: "doc.damaged" });
      damaged.add(doc);
    },
  });
  const feed = new Feed({
    term: () => folder.term,
    clock,
    writer,
    stored,
    registry,
    items,
    bundles,
    onBroken: (connection: Connection, error) => {
      log.error({ device: connection.caller.device, error: String(error) }, "a feed broke off");
      connection.refuse(null, { code: "relay.busy" });
    },
  });
  /** Documents that came before their store, such as an offline visit to a new outlet, find their territory with it. */
  const placeWaiting = (store: DocumentRow) => {
    const { territory } = store;
    if (territory === null) return;
    for (const doc of registry.waitingFor(store.doc)) {
      writer.run("placeDocument", { doc, territory }).then(
        () => {
          const row = registry.get(doc);
          if (row === undefined || row.waitsFor !== store.doc) return;
          const placed = { ...row, territory, waitsFor: null };
          registry.put(placed);
          feed.moved(placed);
        },
        (error: unknown) => log.error({ doc, error: String(error) }, "a document could not be placed"),
      );
    }
  };
  /** On their way to be noted: until they are, what is stored is older. */
  const noting = new Map<string, number>();
  const noteTerritories = ({ device, territories }: Viewer) => {
    // Most contacts change nothing, and a commit costs more than all else in them.
    if (!noting.has(device) && stored.territoriesNoted(device)?.join() === [...territories].sort().join()) return;
    noting.set(device, (noting.get(device) ?? 0) + 1);
    writer
      .run("noteTerritories", { device, territories })
      .catch((error: unknown) => log.error({ device, error: String(error) }, "territories could not be noted"))
      .finally(() => {
        const left = (noting.get(device) ?? 1) - 1;
        if (left === 0) noting.delete(device);
        else noting.set(device, left);
      });
  };
  const movedListeners = new Set<(viewer: Viewer) => void>();
  const viewers = new Viewers(stored, (viewer) => {
    noteTerritories(viewer);
    feed.rescope(viewer);
    for (const listener of movedListeners) listener(viewer);
  });
  const listeners = new Set<(doc: string) => void>();
  const changed = (doc: string) => {
    for (const listener of listeners) listener(doc);
  };
  const onStored = (change: StoredChanges) => {
    if (registry.put(change.row)) bundles.wake(change.row.doc);
    feed.stored(change);
    changed(change.row.doc);
    snapshots.stored(change);
    placeWaiting(change.row);
    // The store may have been stored between the judging of this document and its commit.
    const store = change.row.waitsFor === null ? undefined : registry.get(change.row.waitsFor);
    if (store !== undefined) placeWaiting(store);
  };
  const bury = async (row: DocumentRow, by: string, reason: string): Promise<boolean> => {
    if (!(await writer.run("buryDocument", { doc: row.doc, by, reason }))) return false;
    const buried = { ...(registry.get(row.doc) ?? row), tombstone: utcFromMs(clock.wallMs()) };
    registry.put(buried);
    feed.moved(buried);
    changed(row.doc);
    return true;
  };
  const rules = createRules(stored, packsOf(db), () => clock.wallMs());
  for (const row of stored.all()) placeWaiting(row);
  const stop = async () => {
    await snapshots.stop();
    await bundles.stop();
    open.close();
  };
  return {
    workspace: folder.workspace.id,
    writer,
    stored,
    registry,
    open,
    rules,
    onStored,
    feed,
    items,
    snapshots,
    bundles,
    viewers,
    bury,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onMoved: (listener) => {
      movedListeners.add(listener);
      return () => movedListeners.delete(listener);
    },
    stop,
    wallMs: () => clock.wallMs(),
    tickMs: () => clock.tickMs(),
  };
}

/** The newest pack's rules. Names of people whom no pack has yet come from the relay's own list. */
function createRules(stored: StoredDocuments, packs: StoredPacks, nowMs: () => number): () => ReadingRules {
  let rules: ReadingRules | null = null;
  let number: number | null = null;
  let readAtMs = 0;
  return () => {
    const newest = packs.newestNumber();
    if (rules === null || newest !== number || nowMs() - readAtMs > NAMES_MS) {
      rules = { ...readingRules(packs.newest()), names: stored.names() };
      number = newest;
      readAtMs = nowMs();
    }
    return rules;
  };
}
