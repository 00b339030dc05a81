import net from "node:net";

/** What crossed the websockets of a link behind their HTTP 101, in TCP payload bytes. Other requests are not counted. */
export interface LinkTraffic {
  readonly upBytes: number;
  readonly downBytes: number;
  /** Websockets that were opened. */
  readonly websockets: number;
  /** `performance.now()` of the last message either way; pings say that a link lives, not that anything is said. */
  readonly lastMs: number;
}

/** A ping or pong without content (RFC 6455 §5.5): 2 bytes, and 4 of mask from a client. */
const PING_BYTES = 6;

export interface CountedLink {
  readonly port: number;
  traffic(): LinkTraffic;
  close(): Promise<void>;
}

/** A link without delay that only counts. `targetPort` may change: a relay that is started again has another one. */
export async function openCountedLink(target: { port: number }): Promise<CountedLink> {
  const counts = { upBytes: 0, downBytes: 0, websockets: 0, lastMs: performance.now() };
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const relay = net.connect(target.port, "127.0.0.1");
    let websocket = false;
    for (const [socket, other] of [
      [client, relay],
      [relay, client],
    ] as const) {
      socket.setNoDelay();
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (chunk) => {
      if (websocket) {
        counts.upBytes += chunk.length;
        if (chunk.length > PING_BYTES) counts.lastMs = performance.now();
      }
      relay.write(chunk);
    });
    relay.on("data", (chunk) => {
      if (websocket) {
        counts.downBytes += chunk.length;
      } else if (chunk.subarray(0, 12).toString("latin1") === "HTTP/1.1 101") {
        websocket = true;
        counts.websockets += 1;
        counts.downBytes += chunk.length - (chunk.indexOf("\r\n\r\n") + 4);
      }
      if (websocket && chunk.length > PING_BYTES) counts.lastMs = performance.now();
      client.write(chunk);
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    traffic: () => ({ ...counts }),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
