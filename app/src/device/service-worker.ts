import { registerSW } from "virtual:pwa-register";
import { isNative } from "./platform.ts";

type Ready = (use: () => void) => void;
let use: (() => void) | null = null;
const listeners = new Set<Ready>();

/** Keeps the app itself on this device, so that it opens without signal. The installed app has its files anyway. */
export function startServiceWorker(): void {
  if (isNative || !("serviceWorker" in navigator)) return;
  const update = registerSW({
    onNeedRefresh: () => {
      use = () => void update(true);
      for (const listener of listeners) listener(use);
    },
  });
}

/** Calls `ready` once a new version waits, with the function that reloads into it. The answer stops it. */
export function onUpdateReady(ready: Ready): () => void {
  listeners.add(ready);
  if (use !== null) ready(use);
  return () => listeners.delete(ready);
}
