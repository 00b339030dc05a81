import { once } from "node:events";
import { createServer } from "node:net";

/** The first port from `wanted` on that nobody listens at, of twenty; `wanted` itself where all are taken. */
export async function freePort(wanted: number, host: string): Promise<number> {
  for (let port = wanted; port < Math.min(wanted + 20, 65_536); port += 1) {
    const probe = createServer();
    probe.listen(port, host);
    try {
      await once(probe, "listening");
    } catch {
      continue;
    }
    probe.close();
    await once(probe, "close");
    return port;
  }
  return wanted;
}
