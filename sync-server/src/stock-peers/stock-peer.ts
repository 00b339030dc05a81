import type { Refusal } from "@sampai/engine/wire";
import type { DocumentHost } from "../documents/host.ts";
import type { Presence } from "../documents/presence.ts";
import type { Pusher } from "../documents/push.ts";
import { inScope, type Viewer } from "../documents/scope.ts";
import type { DocumentRow } from "../documents/stored-documents.ts";
import { WaitingChanges } from "../documents/waiting-changes.ts";
import type { Connection } from "../relay/part.ts";
import type { ChangeGraph } from "./change-graph.ts";
import { DocumentSession } from "./document-session.ts";
import { ForeignActors } from "./foreign-actors.ts";
import { STOCK_VERSION, type StockMessage } from "./frames.ts";
import { asStockConnection, tell } from "./stock-connection.ts";
import { readSyncMessage, writeSyncMessage } from "./sync-message.ts";

/** Bytes in the client's queue above which others' changes wait for it. */
const QUEUE_BYTES = 262_144;
const LATER_MS = 250;
/** Documents that one connection may have open. */
const SESSIONS = 20_000;

export interface StockPeerDeps {
  readonly host: DocumentHost;
  readonly presence: Presence;
  readonly graphOf: (row: DocumentRow) => ChangeGraph;
  /** What the client knows the relay and its storage by. */
  readonly self: { readonly peerId: string; readonly storageId: string };
}

/** One stock client on its websocket. Its messages are taken one after the other. */
export class StockPeer {
  /** What the other rooms see of it. */
  readonly face: Connection;
  private readonly connection: Connection;
  private readonly deps: StockPeerDeps;
  private readonly viewer: Viewer;
  private readonly pusher: Pusher;
  private readonly sessions = new Map<string, DocumentSession>();
  /** Documents that it asked for when they were not there, or not its to see. */
  private readonly awaited = new Set<string>();
  private peerId: string | null = null;
  private ended = false;

  constructor(connection: Connection, deps: StockPeerDeps) {
    this.connection = connection;
    this.deps = deps;
    this.face = asStockConnection(connection, (present) => {
      if (this.peerId === null || !this.sessions.has(present.doc)) return;
      const { doc, device, session, count, data } = present;
      // Named by the device that the relay knows, whatever its sender calls itself.
      tell(connection, {
        type: "ephemeral",
        senderId: device,
        targetId: this.peerId,
        documentId: doc,
        sessionId: session,
        count,
        data,
      });
    });
    this.viewer = deps.host.viewers.opened(this.face);
    const actors = new ForeignActors(connection.caller.device, deps.host.stored);
    this.pusher = {
      connection: this.face,
      viewer: this.viewer,
      waiting: new WaitingChanges(),
      mayUseActor: (doc, header) => actors.mayUse(doc, header),
    };
  }

  get joined(): boolean {
    return this.peerId !== null;
  }

  close(): void {
    this.ended = true;
    this.sessions.clear();
    this.awaited.clear();
    this.deps.presence.closed(this.face);
    this.deps.host.viewers.closed(this.face);
  }

  /** Takes one message. A refusal ends the connection where the table of refusals says so. */
  async receive(message: StockMessage): Promise<void> {
    if (message.type === "join") return this.join(message);
    // What others sent and this client passes on, and what comes before its name is known.
    if (this.peerId === null || message.senderId !== this.peerId) return;
    switch (message.type) {
      case "sync":
      case "request":
        return this.sync(message.documentId, message.data);
      case "ephemeral": {
        const { documentId: doc, sessionId: session, count, data } = message;
        if (this.rowOf(doc) !== null) {
          this.deps.presence.receive(this.face, { type: "presence", doc, session, count, data });
        }
        return;
      }
      case "doc-unavailable":
      case "remote-subscription-change":
      case "remote-heads-changed":
    }
  }

  /** A document has changed: the client is told, where it has asked for it, also if it could not have it then. */
  changed(doc: string): void {
    if (this.ended) return;
    const row = this.rowOf(doc);
    if (row !== null && this.awaited.delete(doc)) this.sessions.set(doc, new DocumentSession());
    const session = this.sessions.get(doc);
    if (session === undefined) return;
    if (row === null) {
      this.sessions.delete(doc);
      this.unavailable(doc);
    } else if (this.connection.bufferedBytes() > QUEUE_BYTES) {
      setTimeout(() => this.changed(doc), LATER_MS).unref();
    } else this.answer(row, session);
  }

  /** Somebody's territories are others now: where it is this client, each document that it asked for is looked at again. */
  moved(viewer: Viewer): void {
    if (viewer !== this.viewer) return;
    for (const doc of [...this.sessions.keys(), ...this.awaited]) this.changed(doc);
  }

  private join(message: Extract<StockMessage, { type: "join" }>): void {
    const { senderId, supportedProtocolVersions: versions } = message;
    const refused = this.peerId !== null && this.peerId !== senderId;
    if (refused || (versions !== undefined && !versions.includes(STOCK_VERSION))) {
      const text = refused ? "one connection is one peer" : `only version ${STOCK_VERSION} is spoken`;
      tell(this.connection, { type: "error", senderId: this.deps.self.peerId, targetId: senderId, message: text });
      this.connection.close(4426, "frame.version");
      return;
    }
    this.peerId = senderId;
    tell(this.connection, {
      type: "peer",
      senderId: this.deps.self.peerId,
      targetId: senderId,
      selectedProtocolVersion: STOCK_VERSION,
      // With a storage id, `getSyncInfo` says what this relay has; it only ever has what is on disk.
      peerMetadata: { storageId: this.deps.self.storageId, isEphemeral: false },
    });
  }

  private async sync(doc: string, data: Uint8Array): Promise<void> {
    const row = this.rowOf(doc);
    if (row === null) return this.unavailable(doc);
    const message = readSyncMessage(data);
    if (!message.ok) return this.refuse(message.error);
    this.awaited.delete(doc);
    const session = this.sessions.get(doc) ?? new DocumentSession();
    if (this.sessions.size >= SESSIONS) return this.refuse({ code: "frame.rate", detail: "open documents" });
    this.sessions.set(doc, session);
    const refusal = await session.take(row, message.value, this.pusher, this.deps.host);
    if (refusal !== null) return this.refuse(refusal);
    const now = this.rowOf(doc);
    if (now !== null && !this.ended) this.answer(now, session);
  }

  private answer(row: DocumentRow, session: DocumentSession): void {
    const next = session.next(row, () => this.deps.graphOf(row));
    if (next === null) return;
    const changes = next.positions.flatMap((position) => this.deps.host.stored.bytesAt(position) ?? []);
    const data = writeSyncMessage({ ...next.message, changes });
    tell(this.connection, {
      type: "sync",
      senderId: this.deps.self.peerId,
      targetId: this.peerId,
      documentId: row.doc,
      data,
    });
  }

  private rowOf(doc: string): DocumentRow | null {
    const row = this.deps.host.registry.get(doc);
    return row !== undefined && inScope(this.viewer, row) ? row : null;
  }

  /** The same for what does not exist and for what is not this client's to know. */
  private unavailable(doc: string): void {
    if (this.awaited.size < SESSIONS) this.awaited.add(doc);
    const { peerId } = this.deps.self;
    tell(this.connection, { type: "doc-unavailable", senderId: peerId, targetId: this.peerId, documentId: doc });
  }

  /** There is no message for a refusal in this protocol: the trail has it, and what cannot go on is closed. */
  private refuse(refusal: Refusal): void {
    this.connection.refuse(null, refusal);
  }
}
