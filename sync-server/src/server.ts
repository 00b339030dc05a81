import { createAdaptorServer } from "@hono/node-server";
import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { CannotStart } from "./stop-reasons.ts";

/** Sockets at once, strangers included: each costs a few KB. */
const SOCKETS = 20_000;
/** A 2G phone needs up to 40 s for its handshake. */
const HANDSHAKE_MS = 60_000;
/** Requests and websockets under way get this long to end when the server closes. */
const DRAIN_MS = 2_000;

type FetchHandler = Parameters<typeof createAdaptorServer>[0]["fetch"];

export interface HttpServer {
  readonly port: number;
  /** Takes nobody in from now on; resolves when everybody who was in is out. */
  close(): Promise<void>;
}

/** Listens, with the HTTP routes on one side and the websocket upgrade on the other. */
export async function listen(
  at: { host: string; port: number },
  fetch: FetchHandler,
  upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => Promise<void>,
): Promise<HttpServer> {
  const server = createAdaptorServer({ fetch }) as Server;
  server.headersTimeout = HANDSHAKE_MS;
  server.maxConnections = SOCKETS;
  server.on("upgrade", (request, socket, head) => {
    upgrade(request, socket as Socket, head).catch(() => socket.destroy());
  });
  const inside = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    inside.add(socket);
    socket.once("close", () => inside.delete(socket));
  });
  server.on("clientError", (_error, socket) => socket.destroy());
  server.listen(at.port, at.host);
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CannotStart(
      code === "EADDRINUSE" ? "address.taken" : "address.unusable",
      `${at.host}:${at.port} (${String(code)}).`,
    );
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      // Also websockets, which the server no longer counts among its connections and would wait for without end.
      const enough = setTimeout(() => {
        for (const socket of inside) socket.destroy();
      }, DRAIN_MS);
      await closed;
      clearTimeout(enough);
    },
  };
}
