import { decodeFrame } from "@sampai/engine/wire";
import { createHash } from "node:crypto";
import { RateLimiterMemory } from "rate-limiter-flexible";
import type { WebSocket } from "ws";
import { documentsOf, type DocumentFolder } from "../documents/host.ts";
import { Presence } from "../documents/presence.ts";
import type { Connection, StockDoor } from "../relay/part.ts";
import { createChangeGraphs } from "./change-graph.ts";
import { stockMessageSchema } from "./frames.ts";
import { StockPeer } from "./stock-peer.ts";

/** Messages that wait in one connection before the relay stops reading from it for a while. */
const WAITING = 64;
/** A socket that has not joined by then is closed. */
const JOIN_MS = 10_000;
/** Messages that one device may send in ten seconds: a client that opens thousands of documents at once stays below. */
const MESSAGES_PER_WINDOW = 20_000;

/**
 * Unmodified clients of automerge-repo, protocol version 1: they open documents by `automerge:<document id>`, with a
 * ticket in their websocket's address. What they send passes the gate; what they are told is on disk.
 */
export function stockDoor(context: DocumentFolder): StockDoor {
  const host = documentsOf(context);
  const presence = new Presence(host.registry, host.viewers, host.wallMs);
  const graphOf = createChangeGraphs(host.stored);
  const self = { peerId: `sampai-${context.workspace.id}`, storageId: storageIdOf(context.workspace.id) };
  const rate = new RateLimiterMemory({ points: MESSAGES_PER_WINDOW, duration: 10 });
  const peers = new Set<StockPeer>();
  host.onChange((doc) => {
    for (const peer of peers) peer.changed(doc);
  });
  host.onMoved((viewer) => {
    for (const peer of peers) peer.moved(viewer);
  });

  const serve = (socket: WebSocket, connection: Connection): Connection => {
    const peer = new StockPeer(connection, { host, presence, graphOf, self });
    peers.add(peer);
    const { device } = connection.caller;
    let waiting = 0;
    let open = true;
    let turn = Promise.resolve();
    const join = setTimeout(() => {
      if (!peer.joined) connection.close(4400, "it did not join");
    }, JOIN_MS);
    join.unref();
    const take = async (data: Buffer) => {
      const message = decodeFrame(stockMessageSchema, data);
      try {
        if (!open) return;
        if (message.ok) await peer.receive(message.value);
        else connection.refuse(null, message.error);
      } catch (error) {
        context.log.error({ device, error: String(error) }, "a stock client's message could not be taken");
        connection.refuse(null, { code: "relay.busy" });
      } finally {
        waiting -= 1;
        if (socket.isPaused && waiting < WAITING / 2) socket.resume();
      }
    };
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      if (!open) return;
      if (!isBinary) return connection.refuse(null, { code: "frame.malformed", detail: "a text frame" });
      rate.consume(device).catch(() => connection.refuse(null, { code: "frame.rate", retryAfterMs: 10_000 }));
      waiting += 1;
      if (waiting >= WAITING) socket.pause();
      turn = turn.then(() => take(data));
    });
    socket.on("close", () => {
      open = false;
      clearTimeout(join);
      peers.delete(peer);
      peer.close();
    });
    return peer.face;
  };
  return { serve };
}

/** The same for the life of a workspace, in the form of a UUID as automerge-repo makes them. */
function storageIdOf(workspace: string): string {
  const hex = createHash("sha256").update(`sampai.storage.${workspace}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
