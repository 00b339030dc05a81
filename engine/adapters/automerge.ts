import { initializeWasm, isWasmInitialized } from "@automerge/automerge/slim";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Loads Automerge's WebAssembly on Node. Safe to call more than once. */
export async function startAutomerge(): Promise<void> {
  if (isWasmInitialized()) return;
  const wasm = fileURLToPath(import.meta.resolve("@automerge/automerge/automerge.wasm"));
  await initializeWasm(new Uint8Array(await readFile(wasm)));
}
