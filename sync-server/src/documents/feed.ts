import type { Clock } from "@sampai/engine/core";
import { encodeFrame, limits, type ChangesItem, type FeedCursor, type PhoneMessage } from "@sampai/engine/wire";
import type { Writer } from "../database/writer.ts";
import { foldedFrame } from "../relay/folded-frame.ts";
import type { Connection } from "../relay/part.ts";
import type { Bundles } from "./bundles.ts";
import type { FeedItems } from "./feed-items.ts";
import { Pace } from "./pace.ts";
import type { StoredChanges } from "./push.ts";
import type { DocumentRegistry } from "./registry.ts";
import { inScope, scopeOf, type Viewer } from "./scope.ts";
import type { BundleRow, DocumentRow, StoredDocuments } from "./stored-documents.ts";

type FeedMessage = Extract<PhoneMessage, { type: "feed" }>;

export interface FeedDeps {
  /** The current term of the order log. */
  readonly term: () => string;
  readonly clock: Pick<Clock, "tickMs" | "after">;
  readonly writer: Writer;
  readonly stored: StoredDocuments;
  readonly registry: DocumentRegistry;
  readonly items: FeedItems;
  readonly bundles: Bundles;
  readonly onBroken: (connection: Connection, error: unknown) => void;
}

/**
 * Serves documents to connections: first what is missing behind a cursor, then each change as it is stored. A reader is
 * either catching up, by itself and at its own pace, or live. Nothing is sent before it is durable.
 */
export class Feed {
  private readonly readers = new Map<Connection, Reader>();
  private readonly deps: FeedDeps;
  /** Next position: everything before it has been offered to live readers. */
  private head: number;

  constructor(deps: FeedDeps) {
    this.deps = deps;
    this.head = deps.stored.head();
  }

  start(connection: Connection, viewer: Viewer, message: FeedMessage): void {
    this.readers.get(connection)?.end();
    const reader = new Reader(connection, viewer, message, this.deps, () => this.head);
    this.readers.set(connection, reader);
    reader.catchUp();
  }

  fed(connection: Connection, cursor: FeedCursor): void {
    if (cursor.term === this.deps.term()) this.readers.get(connection)?.fed(cursor);
  }

  end(connection: Connection): void {
    this.readers.get(connection)?.end();
    this.readers.delete(connection);
  }

  /** Passes on what was just committed. MUST be called in the order of positions. */
  stored(stored: StoredChanges): void {
    this.head = stored.head;
    const { row, changes } = stored;
    const { doc, kind, key } = row;
    const items = changes.map(({ position, bytes }): ChangesItem => ({
      doc,
      kind,
      key,
      position,
      bytes,
      snapshot: false,
    }));
    const frames = new Map<number, Uint8Array>();
    // One encoding serves every reader that stands at the same scope version.
    const frameFor = (scope: number) => {
      const cursor = { term: this.deps.term(), position: stored.head, scope };
      const frame =
        frames.get(scope) ?? encodeFrame({ type: "changes", n: null, items, leave: [], cursor, more: false });
      frames.set(scope, frame);
      return frame;
    };
    for (const reader of this.readers.values()) reader.live(stored, frameFor);
  }

  /** What this person may see has changed. */
  rescope(viewer: Viewer): void {
    for (const reader of this.readers.values()) if (reader.viewer === viewer) reader.catchUp();
  }

  /** A document changed hands without a change of its own. */
  moved(row: DocumentRow): void {
    for (const reader of this.readers.values()) reader.moved(row);
  }
}

/** One connection's way through the stream. */
class Reader {
  private readonly connection: Connection;
  readonly viewer: Viewer;
  private readonly deps: FeedDeps;
  private readonly headNow: () => number;
  private readonly pace: Pace;
  private readonly held = new Set<string>();
  /** Documents that an interrupted frame may have brought or not: they are told to leave where they should not be. */
  private readonly doubtful = new Set<string>();
  /** Position through which a document was given whole. */
  private readonly given = new Map<string, number>();
  private position: number;
  private scope: number;
  private nextScope: number;
  /** State of the registry at the last look at this device's scope; -1: look again. */
  private scopesSeen = -1;
  private acknowledged = 0;
  /** The device was told to drop documents, and what says so waits for its word that it has. */
  private leaving = false;
  private told = false;
  /** The phone can unfold bundles. */
  private readonly unfolds: boolean;
  /** The request that the next frame answers; null once it is answered. */
  private answers: number | null;
  private state: "catching" | "live" | "ended" = "live";

  constructor(connection: Connection, viewer: Viewer, message: FeedMessage, deps: FeedDeps, headNow: () => number) {
    this.connection = connection;
    this.viewer = viewer;
    this.deps = deps;
    this.pace = new Pace(deps.clock);
    this.headNow = headNow;
    this.answers = message.n;
    this.unfolds = message.bundles === true;
    const { version } = deps.stored.scopeVersion(viewer.device);
    const { cursor } = message;
    const head = headNow();
    const usable = cursor !== null && cursor.term === deps.term() && cursor.scope <= version && cursor.position <= head;
    this.position = usable ? cursor.position : head;
    this.scope = usable ? cursor.scope : 0;
    this.nextScope = version + 1;
    if (cursor === null) return;
    for (const { doc, since, gone } of deps.stored.held(viewer.device)) {
      this.leaving ||= gone !== null;
      if (usable && gone !== null && gone <= this.scope) continue;
      // One that should leave and was never told so is on the device: if it is wanted again, its leaving is taken back.
      if (!usable || since > this.scope || gone !== null) this.doubtful.add(doc);
      else this.held.add(doc);
    }
    // The cursor stands for what is durable on the phone.
    this.acknowledge(this.scope);
  }

  end(): void {
    this.state = "ended";
    this.pace.end();
  }

  fed(cursor: FeedCursor): void {
    this.pace.fed(cursor);
    if (cursor.scope === this.scope) this.acknowledge(cursor.scope);
  }

  private acknowledge(version: number): void {
    if (!this.leaving || this.acknowledged >= version) return;
    this.acknowledged = version;
    this.deps.writer.run("ackScope", { device: this.viewer.device, version }).catch(this.broken);
  }

  /** Goes (back) to catching up; a reader that is doing so looks again before it is done. */
  catchUp(): void {
    this.scopesSeen = -1;
    if (this.state !== "live") return;
    this.state = "catching";
    this.run().catch(this.broken);
  }

  /** A change was stored: passes it on, where it is for this reader. */
  live(stored: StoredChanges, frameFor: (scope: number) => Uint8Array): void {
    const { row, from, born, head } = stored;
    if (from === this.connection && born) this.held.add(row.doc);
    if (this.state !== "live") return;
    const inside = inScope(this.viewer, row);
    if (inside !== this.held.has(row.doc)) {
      this.catchUp();
      return;
    }
    if (inside && from !== this.connection) {
      if (this.connection.bufferedBytes() > limits.liveQueueBytes) {
        this.catchUp();
        return;
      }
      this.connection.sendFrame(frameFor(this.scope));
    }
    this.position = head;
  }

  moved(row: DocumentRow): void {
    if (inScope(this.viewer, row) !== this.held.has(row.doc)) this.catchUp();
  }

  private readonly broken = (error: unknown) => {
    if (this.state === "ended") return;
    this.end();
    this.deps.onBroken(this.connection, error);
  };

  private async run(): Promise<void> {
    const frame = new FrameInMaking();
    await this.turn();
    for (;;) {
      if (this.ended()) return;
      if (this.scopesSeen !== this.deps.registry.scopes) {
        await this.changeScope(frame);
        if (this.ended()) return;
        continue;
      }
      const until = this.headNow();
      for (const { doc, position } of this.missed(until)) {
        const row = this.deps.registry.get(doc);
        const item = row === undefined ? undefined : this.deps.items.change(row, position);
        if (item === undefined) continue;
        if (!frame.fits(item)) await this.send(frame, true);
        if (this.ended()) return;
        frame.add(item);
        this.position = position + 1;
      }
      this.position = until;
      // No await since the last look: nothing can have been stored that was not seen.
      if (until !== this.headNow() || this.scopesSeen !== this.deps.registry.scopes) continue;
      this.given.clear();
      this.doubtful.clear();
      this.state = "live";
      this.finish(frame);
      return;
    }
  }

  /** Tells the device what leaves and gives it what enters. It is written down first, then sent. */
  private async changeScope(frame: FrameInMaking): Promise<void> {
    this.scopesSeen = this.deps.registry.scopes;
    const wanted = scopeOf(this.viewer, this.deps.registry);
    const enter = [...wanted].filter((doc) => !this.held.has(doc));
    const leave = [...this.held, ...this.doubtful].filter((doc) => !wanted.has(doc));
    if (enter.length === 0 && leave.length === 0) return;
    this.leaving ||= leave.length > 0;
    const { bundles, single } = this.unfolds ? this.deps.bundles.divide(enter) : { bundles: [], single: enter };
    // Each entering document has a scope version of its own, so that any frame can end anywhere.
    const first = this.nextScope;
    const version = first + Math.max(1, enter.length) - 1;
    this.nextScope = version + 1;
    const order = [...bundles.flatMap(({ documents }) => documents.map(([doc]) => doc)), ...single];
    const planned = order.map((doc, index) => ({ doc, version: first + index }));
    await this.deps.writer.run("planScope", { device: this.viewer.device, enter: planned, leave, version });
    for (const doc of leave) {
      this.held.delete(doc);
      this.doubtful.delete(doc);
      frame.leave.push(doc);
      if (frame.leave.length >= LEAVES_IN_A_FRAME) await this.send(frame, true);
      if (this.ended()) return;
    }
    if (enter.length === 0) this.scope = version;
    let at = 0;
    for (const bundle of bundles) {
      const members = planned.slice(at, at + bundle.documents.length);
      at += members.length;
      await this.giveBundle(frame, bundle, members);
      if (this.ended()) return;
    }
    await this.giveSingly(frame, planned.slice(at));
  }

  private async giveSingly(frame: FrameInMaking, planned: readonly Planned[]): Promise<void> {
    for (const { doc, version } of planned) {
      const row = this.deps.registry.get(doc);
      const item = row === undefined || !inScope(this.viewer, row) ? undefined : this.deps.items.whole(row);
      if (item !== undefined && !frame.fits(item)) await this.send(frame, true);
      if (this.ended()) return;
      if (item !== undefined) {
        frame.add(item);
        this.gave(item);
      }
      this.scope = version;
    }
  }

  /** A frame of its own: the bundle as it was folded, and what was changed in its documents since. */
  private async giveBundle(frame: FrameInMaking, bundle: BundleRow, planned: readonly Planned[]): Promise<void> {
    if (!frame.empty) await this.send(frame, true);
    await this.turn();
    if (this.ended()) return;
    const rows = planned.flatMap(({ doc }) => this.deps.registry.get(doc) ?? []);
    const isWhole = rows.length === planned.length && rows.every((row) => inScope(this.viewer, row));
    const since = isWhole ? this.changedSince(rows, bundle) : null;
    const folded = since === null ? undefined : this.deps.bundles.read(bundle);
    if (since === null || folded === undefined) return this.giveSingly(frame, planned);
    for (const [doc, through] of bundle.documents) this.gave({ doc, position: through });
    for (const item of since) {
      this.gave(item);
      frame.add(item);
    }
    this.scope = planned.at(-1)?.version ?? this.scope;
    const message = { ...this.message(frame, true), bundle: folded };
    this.connection.sendFrame(encodeFrame(message));
    this.pace.note(message.cursor);
  }

  /** What a bundle lacks; null where it is damaged, or more than should stand in one frame with it. */
  private changedSince(rows: readonly DocumentRow[], { documents }: BundleRow): readonly ChangesItem[] | null {
    const since: ChangesItem[] = [];
    for (const [index, row] of rows.entries()) {
      const item = this.deps.items.since(row, documents[index]?.[1] ?? 0);
      if (item === undefined) return null;
      if (item !== null) since.push(item);
    }
    if (since.reduce((sum, { bytes }) => sum + bytes.length, 0) <= SINCE_BYTES) return since;
    for (const { doc } of since) this.deps.items.stale(doc);
    return null;
  }

  /** The frame that is being made holds the document through this position. */
  private gave({ doc, position }: { readonly doc: string; readonly position: number }): void {
    this.given.set(doc, position);
    this.held.add(doc);
    this.doubtful.delete(doc);
  }

  private turn(): Promise<void> {
    return this.pace.turn(() => this.connection.bufferedBytes(), this.ended);
  }

  /** Where documents that the device holds were changed since its position, in order. */
  private missed(until: number): readonly { doc: string; position: number }[] {
    const missed: { doc: string; position: number }[] = [];
    for (const doc of this.held) {
      const row = this.deps.registry.get(doc);
      if (row === undefined || row.last < this.position) continue;
      const from = Math.max(this.position, (this.given.get(doc) ?? -1) + 1);
      if (row.last < from) continue;
      for (const position of this.deps.stored.positionsSince(doc, from)) {
        if (position < until) missed.push({ doc, position });
      }
    }
    return missed.sort((a, b) => a.position - b.position);
  }

  private async send(frame: FrameInMaking, more: boolean): Promise<void> {
    const message = this.message(frame, more);
    const plain = encodeFrame(message);
    const folded = foldedFrame(plain);
    frame.folded(plain.length, folded.length);
    await this.turn();
    if (this.ended()) return;
    this.connection.sendFrame(folded);
    this.pace.note(message.cursor);
  }

  /** The last frame of a catch-up goes at once: it ends the catch-up in the same step in which it was found complete. */
  private finish(frame: FrameInMaking): void {
    if (frame.empty && this.answers === null && this.told) return;
    this.connection.sendFrame(foldedFrame(encodeFrame(this.message(frame, false))));
    this.told = true;
  }

  private message(frame: FrameInMaking, more: boolean) {
    const { items, leave } = frame.take();
    const cursor = { term: this.deps.term(), position: this.position, scope: this.scope };
    const n = this.answers;
    if (!more) this.answers = null;
    return { type: "changes" as const, n, items, leave, cursor, more };
  }

  private readonly ended = (): boolean => this.state === "ended";
}

/** An entering document, and the scope version that says that it is there. */
interface Planned {
  readonly doc: string;
  readonly version: number;
}

const LEAVES_IN_A_FRAME = 200;
/** Bytes of changes beside a bundle above which its documents are sent as they are now, and compacted anew. */
const SINCE_BYTES = 2_048;
/** What an item costs beside its bytes. */
const ITEM_BYTES = 120;

/** What a frame may unfold to, however well it folds. */
const UNFOLDED_BYTES = 65_536;

/** Items that travel in the next frame. As many as fill it when it is folded, by how well the one before folded. */
class FrameInMaking {
  leave: string[] = [];
  private items: ChangesItem[] = [];
  private bytes = 0;
  private most: number = limits.feedBytes;

  get empty(): boolean {
    return this.items.length === 0 && this.leave.length === 0;
  }

  /** A phone takes a frame's items before its leaves: what left and comes again needs another frame. */
  fits(item: ChangesItem): boolean {
    if (this.leave.includes(item.doc)) return false;
    return this.empty || this.bytes + item.bytes.length + ITEM_BYTES <= this.most;
  }

  folded(plainBytes: number, foldedBytes: number): void {
    this.most = Math.min(UNFOLDED_BYTES, Math.floor((limits.feedBytes * plainBytes) / foldedBytes));
  }

  add(item: ChangesItem): void {
    this.items.push(item);
    this.bytes += item.bytes.length + ITEM_BYTES;
  }

  take() {
    const { items, leave } = this;
    this.items = [];
    this.leave = [];
    this.bytes = 0;
    return { items, leave };
  }
}
