import * as A from "@automerge/automerge/slim";
import { ImmutableString } from "@automerge/automerge";
import { Repo, type AutomergeUrl, type DocHandle } from "@automerge/automerge-repo";
import { WebSocketClientAdapter } from "@automerge/automerge-repo-network-websocket";
import { WebSocket } from "ws";
import { enrolByHttp } from "./hq-client.ts";
import { decodeCbor, encodeCbor } from "./raw-writer.ts";

export type StoreDocument = Record<string, unknown>;

/** A whole string, as codes and names are written. */
export const whole = (text: string): ImmutableString => new ImmutableString(text);

/** The adapter would try again with a ticket that is used up. */
const NO_RETRY_MS = 3_600_000;

/** An unmodified client of automerge-repo: its Repo and its own websocket adapter, with a ticket in the address. */
export class StockClient {
  readonly repo = new Repo();
  /** Messages that it sent on all its connections. */
  sent = 0;
  readonly #token: string;
  #adapter: WebSocketClientAdapter | null = null;

  private constructor(token: string) {
    this.#token = token;
  }

  static async enrol(url: string, code: string): Promise<StockClient> {
    return new StockClient((await enrolByHttp(url, code)).token);
  }

  /** A ticket is good for one connection, so each contact has an adapter of its own. */
  async goOnline(url: string): Promise<void> {
    this.goOffline();
    const adapter = new WebSocketClientAdapter(await ticketAddress(url, this.#token), NO_RETRY_MS);
    const send = adapter.send.bind(adapter);
    adapter.send = (message) => {
      this.sent += 1;
      send(message);
    };
    this.#adapter = adapter;
    this.repo.networkSubsystem.addNetworkAdapter(adapter);
    await adapter.whenReady();
  }

  goOffline(): void {
    if (this.#adapter !== null) this.repo.networkSubsystem.removeNetworkAdapter(this.#adapter);
    this.#adapter = null;
  }

  find(doc: string): Promise<DocHandle<StoreDocument>> {
    return this.repo.find<StoreDocument>(`automerge:${doc}` as AutomergeUrl);
  }

  /** Whether the client believes that the relay has everything: the heads it was told of are its own. */
  isSynced(handle: DocHandle<StoreDocument>): boolean {
    return this.repo.peers.some((peer) => {
      const storageId = this.repo.getStorageIdOfPeer(peer);
      const heads = storageId === undefined ? undefined : handle.getSyncInfo(storageId)?.lastHeads;
      return heads !== undefined && [...heads].sort().join() === [...handle.heads()].sort().join();
    });
  }
}

/** The wire of a stock client without its code, for what an honest one never sends. */
export class RawStockClient {
  readonly received: Record<string, unknown>[] = [];
  readonly #socket: WebSocket;
  closedWith: number | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.received.push(decodeCbor(data)));
    socket.on("close", (code) => {
      this.closedWith = code;
    });
    socket.on("error", () => undefined);
  }

  static async connect(url: string, token: string, join = true): Promise<RawStockClient> {
    const socket = new WebSocket(await ticketAddress(url, token));
    const client = new RawStockClient(socket);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("close", (code) => reject(new Error(`closed with ${code}`)));
    });
    if (join) client.send({ type: "join", senderId: "raw", peerMetadata: {}, supportedProtocolVersions: ["1"] });
    return client;
  }

  send(message: object): void {
    this.sendBytes(encodeCbor(message));
  }

  sendBytes(frame: Uint8Array | string): void {
    this.#socket.send(frame);
  }

  /** A sync message that carries these changes and says that nothing was agreed on yet. */
  sync(doc: string, heads: readonly string[], changes: readonly Uint8Array[]): void {
    const have = [{ lastSync: [], bloom: new Uint8Array(0) }];
    const data = A.encodeSyncMessage({ heads: [...heads], need: [], have, changes: [...changes] });
    this.send({ type: "sync", senderId: "raw", targetId: "relay", documentId: doc, data });
  }

  /** The sync messages of a document that came so far. */
  syncs(doc: string): { heads: string[]; need: string[]; changes: Uint8Array[] }[] {
    return this.received
      .filter(({ type, documentId }) => type === "sync" && documentId === doc)
      .map(({ data }) => A.decodeSyncMessage(new Uint8Array(data as Uint8Array)) as never);
  }

  close(): void {
    this.#socket.terminate();
  }
}

async function ticketAddress(url: string, token: string): Promise<string> {
  const answer = await fetch(`${url}/v1/ticket`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
  const { ticket } = (await answer.json()) as { ticket: string };
  return `${url.replace(/^http/, "ws")}/v1/sync?ticket=${ticket}`;
}
