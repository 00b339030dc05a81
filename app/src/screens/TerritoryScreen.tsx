import { storefrontOutline } from "ionicons/icons";
import { useSummaries } from "../session/engine-context.tsx";
import { StoreSearch } from "../stores/StoreSearch.tsx";
import { Empty } from "../ui/Empty.tsx";
import { Screen } from "../ui/Screen.tsx";
import { useWords } from "../ui/use-words.ts";

/** Every store of the supervisor's territory that is on this device. */
export function TerritoryScreen() {
  const { t } = useWords();
  const stores = useSummaries("store");
  return (
    <Screen title={t("territory.title")}>
      <section className="card" aria-label={t("territory.title")}>
        {stores.length === 0 ? (
          <Empty icon={storefrontOutline}>{t("territory.empty")}</Empty>
        ) : (
          <StoreSearch stores={stores} to={(store) => `/store/${encodeURIComponent(store)}`} all />
        )}
      </section>
    </Screen>
  );
}
