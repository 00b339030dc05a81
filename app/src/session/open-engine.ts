import { createEngine, type Engine, type Identity, type Network, type NetworkKind, type Storage } from "@sampai/engine";
import { canRunAutomerge, startAutomerge } from "@sampai/engine/adapters/automerge-web";
import { createCanvasPictures } from "@sampai/engine/adapters/canvas-pictures";
import { createFetchHttp } from "@sampai/engine/adapters/fetch-http";
import { createTusChannel } from "@sampai/engine/adapters/tus-upload";
import { createWebSocketLink } from "@sampai/engine/adapters/websocket-link";
import wasmUrl from "@automerge/automerge/automerge.wasm?url";
import { APP } from "../app-version.ts";
import { networkKind, watchConnectivity } from "../device/connectivity.ts";
import { openFiles, openStorage } from "../device/storage.ts";
import { takeEngineLock, type EngineLock } from "./engine-lock.ts";
import { createSavedForms, type SavedForms } from "./saved-forms.ts";
import { systemClock, systemCrypto, systemIds, systemRandom } from "./system.ts";

export interface OpenEngine {
  readonly engine: Engine;
  readonly forms: SavedForms;
  readonly lock: EngineLock;
  close(): Promise<void>;
}

/** Why a device's work does not open: another tab has it, no secure context, a browser too old, or the storage. */
export type OpenFailure =
  | { readonly failure: "held" | "insecure" | "outdated" }
  | { readonly failure: "failed"; readonly detail: string };

/** Opens one device's work in this page, under its lock. Databases are named after the device, so people never mix. */
export async function openEngine(identity: Identity, takeOver: boolean): Promise<OpenEngine | OpenFailure> {
  if (!canRunAutomerge()) return { failure: "outdated" };
  const lock = await takeEngineLock(identity.device, takeOver);
  if (lock === "held") return { failure: "held" };
  if (lock === "unsupported") return { failure: "insecure" };
  const opened: Storage[] = [];
  try {
    const name = `sampai-${identity.device}`;
    const [storage, forms, files] = await Promise.all([
      openStorage(name),
      openStorage(`${name}-forms`),
      openFiles(`${name}-files`),
      startAutomerge(wasmUrl),
    ]);
    opened.push(storage, forms);
    const { relay, token } = identity;
    const engine = await createEngine({
      identity,
      clock: systemClock,
      random: systemRandom,
      ids: systemIds,
      crypto: systemCrypto,
      storage,
      files,
      link: createWebSocketLink({ relay, token }),
      http: createFetchHttp({ relay, token }),
      pictures: createCanvasPictures(),
      photoChannel: createTusChannel({ relay: () => relay, token: () => token }),
      network,
      app: APP,
    });
    engine.goOnline();
    const stop = watchConnectivity(() => engine.networkChanged());
    return {
      engine,
      forms: createSavedForms(forms),
      lock,
      close: async () => {
        stop();
        await engine.close();
        await Promise.all(opened.map((each) => each.close()));
        lock.release();
      },
    };
  } catch (error) {
    await Promise.all(opened.map((each) => each.close()));
    lock.release();
    return { failure: "failed", detail: error instanceof Error ? error.message : String(error) };
  }
}

const network: Network = {
  kind: (): NetworkKind => networkKind(),
  onChange: (listener) => watchConnectivity(listener),
};
