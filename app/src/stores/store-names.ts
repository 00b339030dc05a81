import { useMemo } from "react";
import { useSummaries } from "../session/engine-context.tsx";
import { useWords } from "../ui/use-words.ts";

/** A store's name from the summary index, or its code where the master is not on this phone. */
export function useStoreNames(): (code: string) => string {
  const { t } = useWords();
  const stores = useSummaries("store");
  const names = useMemo(() => new Map(stores.map((store) => [store.key, store.summary["name"]])), [stores]);
  return (code) => {
    const name = names.get(code);
    return typeof name === "string" && name !== "" ? name : t("today.unknownStore", { code });
  };
}
