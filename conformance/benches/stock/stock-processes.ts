import { writeFileSync } from "node:fs";
import path from "node:path";
import { encode } from "cbor-x";
import { startLineProcess, type LineProcess } from "../../src/line-process.ts";
import { ROOT } from "../../src/relay-process.ts";
import type { StoreMaster } from "../../src/store-masters.ts";

/** What the stock stack gets for one step before it is printed as "did not finish". */
export const CAP_MS = 120_000;

/** A process of the stock stack. */
export interface StockProcess {
  readonly process: LineProcess;
  ask(verb: string, input?: object): Promise<Record<string, unknown>>;
}

async function start(
  file: string,
  words: readonly string[],
): Promise<StockProcess & { ready: Record<string, unknown> }> {
  const child = startLineProcess([`conformance/benches/stock/${file}`, ...words], ROOT);
  const ready = await child.line((line) => line["ready"] === true, 30_000);
  let asked = 0;
  return {
    process: child,
    ready,
    ask: async (verb, input = {}) => {
      asked += 1;
      const n = asked;
      child.write({ n, do: verb, ...input });
      const line = await child.line((answer) => answer["n"] === n, CAP_MS);
      if (line["error"] !== undefined) throw new Error(`${verb}: ${JSON.stringify(line["error"])}`);
      return line["value"] as Record<string, unknown>;
    },
  };
}

export async function startStockServer(dir: string): Promise<StockProcess & { readonly port: number }> {
  const server = await start("server.ts", [dir]);
  return { ...server, port: Number(server.ready["port"]) };
}

export const startStockClient = (): Promise<StockProcess> => start("client.ts", []);

/** Puts these documents into a folder as the stock server keeps them. */
export async function seedStock(dir: string, scratch: string, masters: readonly StoreMaster[]): Promise<void> {
  const file = path.join(scratch, "stock-seed.cbor");
  writeFileSync(file, encode(masters.map((master) => ({ doc: master.doc, bytes: master.save() }))));
  const seeder = await startStockServer(dir);
  await seeder.ask("seed", { file });
  await seeder.process.stop();
}
