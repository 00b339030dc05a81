import { App } from "@capacitor/app";
import { Network, type ConnectionStatus } from "@capacitor/network";
import type { NetworkKind } from "@sampai/engine";
import { useSyncExternalStore } from "react";
import { isNative } from "./platform.ts";

// A hint and no more: it knows that there is no network, never that HQ can be reached.
let hasNetwork = navigator.onLine;
let kind: NetworkKind = "wifi";
const listeners = new Set<() => void>();

function tell(next: boolean): void {
  hasNetwork = next;
  for (const listener of listeners) listener();
}

/** Calls `changed` whenever the network changed or the app came back to the front. The answer stops it. */
export function watchConnectivity(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

/** Starts listening to the platform. Called once, when the app starts. */
export function startConnectivity(): void {
  if (isNative) {
    const heard = ({ connected, connectionType }: ConnectionStatus) => {
      kind = connectionType === "cellular" ? "mobile" : "wifi";
      tell(connected);
    };
    void Network.getStatus().then(heard);
    void Network.addListener("networkStatusChange", heard);
    void App.addListener("resume", () => tell(hasNetwork));
    return;
  }
  addEventListener("online", () => tell(true));
  addEventListener("offline", () => tell(false));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") tell(navigator.onLine);
  });
}

/** Metered or not. Browsers do not say, and neither platform tells roaming apart: then it counts as Wi-Fi or as mobile. */
export function networkKind(): NetworkKind {
  return kind;
}

export function useHasNetwork(): boolean {
  return useSyncExternalStore(watchConnectivity, () => hasNetwork);
}
