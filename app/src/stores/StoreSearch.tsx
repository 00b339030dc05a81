import type { DocumentSummary } from "@sampai/engine";
import { IonIcon } from "@ionic/react";
import { chevronForwardOutline } from "ionicons/icons";
import { useState } from "react";
import { Link } from "react-router-dom";
import { Badge } from "../ui/Badge.tsx";
import { SearchField } from "../ui/SearchField.tsx";
import { useWords } from "../ui/use-words.ts";

const SHOWN_FIRST = 20;

function matches(store: DocumentSummary, words: readonly string[]): boolean {
  const { name, town, address } = store.summary;
  const haystack = `${store.key} ${String(name ?? "")} ${String(town ?? "")} ${String(address ?? "")}`.toLowerCase();
  return words.every((word) => haystack.includes(word));
}

/** Finds a store among those on this phone, without signal. `all` lists them before anything is typed. */
export function StoreSearch({
  stores,
  to,
  all = false,
}: {
  stores: readonly DocumentSummary[];
  to: (store: string) => string;
  all?: boolean;
}) {
  const { t } = useWords();
  const [text, setText] = useState("");
  const [shown, setShown] = useState(SHOWN_FIRST);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = words.length === 0 && !all ? [] : stores.filter((store) => matches(store, words));
  return (
    <div className="stack">
      <SearchField
        label={t("territory.search")}
        text={text}
        change={(typed) => {
          setText(typed);
          setShown(SHOWN_FIRST);
        }}
      />
      <p className="soft small" role="status">
        {words.length === 0 && !all && t("today.typeMore", { count: stores.length })}
        {words.length > 0 && found.length === 0 && t("today.noMatch")}
        {(words.length > 0 || all) && found.length > 0 && t("territory.count", { count: found.length })}
      </p>
      <ul className="rows">
        {found.slice(0, shown).map((store) => (
          <li key={store.key}>
            <StoreRow store={store} to={to(store.key)} />
          </li>
        ))}
      </ul>
      {found.length > shown && (
        <button type="button" className="button quiet" onClick={() => setShown(shown + 100)}>
          {t("common.moreOf", { shown, total: found.length })}
        </button>
      )}
    </div>
  );
}

function StoreRow({ store, to }: { store: DocumentSummary; to: string }) {
  const { t } = useWords();
  const { name, town, creditHold, successor } = store.summary;
  return (
    <Link className="row" to={to}>
      <span className="grow">
        <span className="strong">{String(name ?? t("today.unknownStore", { code: store.key }))}</span>
        <span className="soft">{[store.key, town].filter(Boolean).join(" · ")}</span>
        <span className="inline">
          {typeof successor === "string" && successor !== "" && <Badge icon="done">{t("store.mergedShort")}</Badge>}
          {creditHold === true && (
            <Badge icon="alert" tone="waits">
              {t("store.creditHold")}
            </Badge>
          )}
          {store.dirty && <Badge icon="saved">{t("territory.dirty")}</Badge>}
        </span>
      </span>
      <IonIcon icon={chevronForwardOutline} aria-hidden="true" />
    </Link>
  );
}
