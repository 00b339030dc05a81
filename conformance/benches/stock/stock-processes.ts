import { writeFileSync } from "node:fs";
import path from "node:path";
import { encode } from "cbor-x";
import type { StoreMaster } from "../../src/store-masters.ts";
import { startAsked, type AskedProcess } from "../asked-process.ts";

export async function startStockServer(dir: string, port = 0): Promise<AskedProcess & { readonly port: number }> {
  const server = await startAsked("stock/server.ts", [dir, String(port)]);
  return { ...server, port: Number(server.ready["port"]) };
}

export const startStockClient = (): Promise<AskedProcess> => startAsked("stock/client.ts");

/** Puts these documents into a folder as the stock server keeps them. */
export async function seedStock(dir: string, scratch: string, masters: readonly StoreMaster[]): Promise<void> {
  const file = path.join(scratch, "stock-seed.cbor");
  writeFileSync(file, encode(masters.map((master) => ({ doc: master.doc, bytes: master.save() }))));
  const seeder = await startStockServer(dir);
  await seeder.ask("seed", { file });
  await seeder.process.stop();
}
