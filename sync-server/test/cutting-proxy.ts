import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A TCP link to a relay that breaks: each connection ends after as many bytes from the phone as `next` says. */
export interface CuttingProxy {
  readonly url: string;
  readonly cuts: () => number;
  /** Bytes that the phone sent and the relay answered, over all connections. */
  readonly bytes: () => { readonly up: number; readonly down: number };
  /** Where new connections go from now on, after the relay came back elsewhere. */
  retarget(url: string): void;
  close(): Promise<void>;
}

export async function startCuttingProxy(target: string, next: (cuts: number) => number): Promise<CuttingProxy> {
  let { hostname, port } = new URL(target);
  let cuts = 0;
  const bytes = { up: 0, down: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((phone) => {
    let left = next(cuts);
    const relay = connect(Number(port), hostname);
    const end = () => {
      phone.destroy();
      relay.destroy();
      sockets.delete(phone);
    };
    sockets.add(phone);
    phone.on("data", (data) => {
      const part = data.subarray(0, Math.max(0, left));
      left -= data.length;
      bytes.up += part.length;
      relay.write(part, () => {
        if (left <= 0 && !phone.destroyed) {
          cuts += 1;
          end();
        }
      });
    });
    relay.on("data", (data) => {
      bytes.down += data.length;
      phone.write(data);
    });
    for (const socket of [phone, relay]) {
      socket.on("error", end);
      socket.on("close", end);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    bytes: () => ({ ...bytes }),
    retarget: (url) => ({ hostname, port } = new URL(url)),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
