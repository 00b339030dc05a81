import { initializeWasm, isWasmInitialized } from "@automerge/automerge/slim";

/**
 * Whether this browser can run Automerge's WebAssembly at all: it uses exception handling, which WebViews before
 * about version 96 do not know. Ask before `startAutomerge`, and say so on the screen.
 */
export function canRunAutomerge(): boolean {
  return typeof WebAssembly === "object" && "Tag" in WebAssembly;
}

/** Loads Automerge's WebAssembly in a browser from `wasmUrl`. Safe to call more than once. */
export async function startAutomerge(wasmUrl: string): Promise<void> {
  if (isWasmInitialized()) return;
  const answer = await fetch(wasmUrl);
  if (!answer.ok) throw new Error(`the browser could not load ${wasmUrl}: ${answer.status}`);
  await initializeWasm(new Uint8Array(await answer.arrayBuffer()));
}
