import { PROTOCOL, problem, refusals, type Refusal } from "@sampai/engine/wire";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { WebSocketServer } from "ws";
import type { RelayContext } from "../context.ts";
import type { Tokens } from "../devices/tokens.ts";
import { createConnection } from "./connections.ts";
import type { OpenHub } from "./hub.ts";
import type { StockDoor } from "./part.ts";
import { watchLife } from "./life.ts";
import { socketOptions, type Loop } from "./loop.ts";
import type { RefusalNotes } from "./refusal-notes.ts";

/** Refused upgrades of one address in a minute before the next ones are not even looked at. */
const REFUSED_PER_MINUTE = 120;

export interface UpgradeDeps {
  readonly hub: OpenHub;
  readonly loop: Loop;
  readonly tokens: Tokens;
  readonly notes: RefusalNotes;
  /** For a client that can set nothing but its address: it shows a ticket and offers no subprotocol. */
  readonly stock: StockDoor | null;
}

/**
 * Decides who may speak inside the HTTP upgrade, before one byte of CBOR is read. A stranger gets a status and a closed
 * socket; what he sends after his request is thrown away.
 */
export function createUpgrade(context: RelayContext, { hub, loop, tokens, notes, stock }: UpgradeDeps) {
  const sockets = new WebSocketServer({
    ...socketOptions,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  const refusedBy = new RateLimiterMemory({ points: REFUSED_PER_MINUTE, duration: 60 });

  const refuse = (socket: Socket, refusal: Refusal) => {
    const address = socket.remoteAddress ?? "unknown";
    refusedBy.consume(address).catch(() => undefined);
    notes.note(refusal, { address }, { via: "upgrade" });
    const body = JSON.stringify(problem(refusal));
    const { status } = refusals[refusal.code];
    socket.end(
      `HTTP/1.1 ${status} ${status === 401 ? "Unauthorized" : "Refused"}\r\ncontent-type: application/problem+json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      () => socket.destroy(),
    );
  };

  return async (request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> => {
    socket.on("error", () => socket.destroy());
    const blocked = await refusedBy.get(socket.remoteAddress ?? "unknown");
    if (blocked !== null && blocked.remainingPoints <= 0) return refuse(socket, { code: "frame.rate" });
    const url = new URL(request.url ?? "/", "http://relay");
    if (url.pathname !== "/v1/sync") return refuse(socket, { code: "request.unknown" });
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    const ticket = url.searchParams.get("ticket");
    const bearer = offered.find((name) => name.startsWith("bearer."))?.slice("bearer.".length);
    const caller = ticket === null ? tokens.callerOf(bearer) : tokens.callerOfTicket(ticket);
    if (!caller.ok) return refuse(socket, caller.error);
    const isStock = stock !== null && ticket !== null && request.headers["sec-websocket-protocol"] === undefined;
    if (!isStock && !offered.includes(PROTOCOL)) {
      return refuse(socket, { code: "frame.version", detail: `offer ${PROTOCOL}` });
    }
    sockets.handleUpgrade(request, socket, head, (websocket) => {
      websocket.binaryType = "nodebuffer";
      const spoken = createConnection(websocket, caller.value, notes, !isStock);
      websocket.on("error", (error: Error & { code?: string }) => {
        if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") {
          notes.note({ code: "frame.oversized" }, { device: caller.value.device }, { via: "websocket" });
        }
      });
      watchLife(websocket, socket, context.config, context.clock);
      const connection = isStock ? stock.serve(websocket, spoken) : spoken;
      websocket.on("close", () => hub.remove(connection));
      hub.add(connection);
      if (!isStock) loop.serve(websocket, connection);
    });
  };
}
