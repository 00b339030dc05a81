import { once } from "node:events";
import net from "node:net";

/** What happens to a connection: after so many more bytes from the client it is cut, or one byte arrives changed. */
export interface Fate {
  readonly fault: "cut" | "flip" | "none";
  readonly afterBytes: number;
}

/** A link without delay that does to each connection what `next` says; after a changed byte it is asked again. */
export interface FaultyLink {
  readonly url: string;
  counts(): { readonly cuts: number; readonly flips: number };
  close(): Promise<void>;
}

export async function openFaultyLink(targetPort: number, next: () => Fate): Promise<FaultyLink> {
  const counts = { cuts: 0, flips: 0 };
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    let fate = next();
    const relay = net.connect(targetPort, "127.0.0.1");
    let seen = 0;
    const end = () => {
      client.destroy();
      relay.destroy();
    };
    for (const socket of [client, relay]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (chunk: Buffer) => {
      const at = fate.afterBytes - seen;
      seen += chunk.length;
      if (fate.fault === "none" || at < 0 || at >= chunk.length) {
        relay.write(chunk);
        return;
      }
      if (fate.fault === "flip") {
        counts.flips += 1;
        chunk[at] = (chunk[at] as number) ^ 1;
        relay.write(chunk);
        fate = next();
        seen = 0;
        return;
      }
      counts.cuts += 1;
      client.removeAllListeners("data").pause();
      // What came before the cut still arrives, as on a real link.
      relay.write(chunk.subarray(0, at), end);
    });
    relay.on("data", (chunk: Buffer) => client.write(chunk));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    counts: () => ({ ...counts }),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
