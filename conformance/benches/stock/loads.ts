import { rm } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../../src/temporary-folder.ts";
import { StoreMaster } from "../../src/store-masters.ts";
import type { AskedProcess } from "../asked-process.ts";
import { quantile, round } from "../measure.ts";
import { seedStock, startStockClient, startStockServer } from "./stock-processes.ts";

type StockServer = Awaited<ReturnType<typeof startStockServer>>;

/** The stock server, filled with the same stores, in a folder of its own. */
export interface StockUnderLoad {
  readonly server: () => StockServer;
  readonly docs: readonly string[];
  readonly url: () => string;
  client(): Promise<AskedProcess>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Store masters for the stock stack: numbered as ours are, so with the same values. */
export const stockMaster = (number: number, edits: number): StoreMaster =>
  StoreMaster.make(number, edits, { device: "stock", workspace: "stock", rep: "H001", role: "hq" }, "T1");

export async function openStockUnderLoad(from: number, count: number): Promise<StockUnderLoad> {
  const folder = await temporaryFolder("bench-stock-load");
  const dir = path.join(folder, "server");
  const masters = Array.from({ length: count }, (_, index) => stockMaster(from + index, 20));
  await seedStock(dir, folder, masters);
  let server = await startStockServer(dir);
  const clients: AskedProcess[] = [];
  return {
    server: () => server,
    docs: masters.map(({ doc }) => doc),
    url: () => `ws://127.0.0.1:${server.port}`,
    client: async () => {
      const client = await startStockClient();
      clients.push(client);
      return client;
    },
    restart: async () => {
      const { port } = server;
      await server.process.kill();
      server = await startStockServer(dir, port);
    },
    close: async () => {
      for (const client of clients) await client.process.kill();
      await server.process.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface StockLatencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly arrived: number;
}

/** What reached a client that watches, in so many milliseconds; it is given until nothing more comes. */
export async function latenciesOf(watchers: readonly AskedProcess[]): Promise<StockLatencies> {
  const latenciesMs: number[] = [];
  for (let quiet = 0; quiet < 2;) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const before = latenciesMs.length;
    for (const watcher of watchers) {
      latenciesMs.push(...(await watcher.ask<{ latenciesMs: number[] }>("latencies")).latenciesMs);
    }
    quiet = latenciesMs.length === before ? quiet + 1 : 0;
  }
  return {
    p50Ms: round(quantile(latenciesMs, 0.5)),
    p99Ms: round(quantile(latenciesMs, 0.99)),
    arrived: latenciesMs.length,
  };
}
