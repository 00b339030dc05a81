import type {
  CapturedFact,
  DocumentError,
  DocumentKind,
  DocumentSummary,
  DocumentView,
  Engine,
  OwedPhoto,
  Pack,
  SyncStatus,
} from "@sampai/engine";
import { createContext, use, useEffect, useState } from "react";
import { useChanging } from "./use-changing.ts";

export const EngineContext = createContext<Engine | null>(null);

export function useEngine(): Engine {
  const engine = use(EngineContext);
  if (engine === null) throw new Error("this screen needs an open engine");
  return engine;
}

export function useStatus(): SyncStatus {
  const engine = useEngine();
  return useChanging(
    (changed) => engine.onStatus(changed),
    () => engine.status(),
    [engine],
  );
}

export function useFacts(): readonly CapturedFact[] {
  const engine = useEngine();
  return useChanging(
    (changed) => engine.facts.onChange(changed),
    () => engine.facts.list(),
    [engine],
  );
}

export function usePhotos(): readonly OwedPhoto[] {
  const engine = useEngine();
  return useChanging(
    (changed) => engine.photos.onChange(changed),
    () => engine.photos.list(),
    [engine],
  );
}

export function usePack(): Pack | null {
  const engine = useEngine();
  return useChanging(
    (changed) => engine.reference.onChange(changed),
    () => engine.reference.current(),
    [engine],
  );
}

export function useSummaries(kind: DocumentKind): readonly DocumentSummary[] {
  const engine = useEngine();
  return useChanging(
    (changed) => engine.documents.onChange(changed),
    () => engine.documents.list(kind),
    [engine, kind],
  );
}

/** `loading` only before the first answer: a view that is being read again stays on the screen meanwhile. */
export type Loaded<T> =
  | { readonly state: "loading" }
  | { readonly state: "here"; readonly value: T }
  | { readonly state: "error"; readonly error: DocumentError };

export function useDocument(kind: DocumentKind, key: string): Loaded<DocumentView> {
  const engine = useEngine();
  const [loaded, setLoaded] = useState<{ key: string; result: Loaded<DocumentView> }>({
    key,
    result: { state: "loading" },
  });
  useEffect(() => {
    let open = true;
    let doc: string | null = null;
    let asked = 0;
    const read = async () => {
      asked += 1;
      const mine = asked;
      const view = await engine.documents.view(kind, key);
      // A slower, older answer must not replace a newer one.
      if (!open || mine !== asked) return;
      if (view.ok) doc = view.value.doc;
      setLoaded({
        key,
        result: view.ok ? { state: "here", value: view.value } : { state: "error", error: view.error },
      });
    };
    const stop = engine.documents.onChange((changed) => {
      if (changed === null || doc === null || changed === doc) void read();
    });
    void read();
    return () => {
      open = false;
      stop();
    };
  }, [engine, kind, key]);
  return loaded.key === key ? loaded.result : { state: "loading" };
}
