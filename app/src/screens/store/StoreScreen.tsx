import { documentKinds, type DocumentView } from "@sampai/engine";
import { storefrontOutline } from "ionicons/icons";
import { useState } from "react";
import { useParams } from "react-router-dom";
import { useDocument } from "../../session/engine-context.tsx";
import { useIdentity } from "../../session/identity-context.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Empty } from "../../ui/Empty.tsx";
import { Loading } from "../../ui/Loading.tsx";
import { Screen } from "../../ui/Screen.tsx";
import { useWords } from "../../ui/use-words.ts";
import { ConflictCard } from "./ConflictCard.tsx";
import { FieldEditor } from "./FieldEditor.tsx";
import { placeOf, type FieldPlace } from "./field-place.ts";
import { FieldRow } from "./FieldRow.tsx";
import { MergedInto } from "./MergedInto.tsx";
import { PeopleHere } from "./PeopleHere.tsx";
import { StoreNotes } from "./StoreNotes.tsx";

/** Which field stands where. A field of the table that no section names stands under *More*. */
const sections = {
  identity: ["name", "hqCode", "channel", "status", "registrationNumber", "ownerRep", "territory"],
  place: ["address", "town", "postcode", "state", "lat", "lon", "uncertaintyMeters", "coordinatesSource"],
  credit: ["creditLimitSen", "creditTermsDays", "creditHold"],
  visits: ["knownSince", "lastVisitAt", "visitCount"],
  contacts: ["contactName", "contactPhone", "contactRole", "openingHours"],
} as const;

const named = new Set<string>(Object.values(sections).flat());
const more = Object.entries(documentKinds.store.fields)
  .filter(([field, { type }]) => !named.has(field) && type !== "text")
  .map(([field]) => field);

/** One store's master: what is believed, who said so, and where two people said different things. */
export function StoreScreen() {
  const { t } = useWords();
  const key = useParams()["store"] ?? "";
  const { role } = useIdentity();
  const loaded = useDocument("store", key);
  const back = role === "rep" ? "/today" : "/territory";
  if (loaded.state !== "here") {
    return (
      <Screen title={t("store.title")} back={back}>
        {loaded.state === "loading" ? <Loading /> : <Empty icon={storefrontOutline}>{t("store.notHere")}</Empty>}
      </Screen>
    );
  }
  return <Store view={loaded.value} back={back} />;
}

function Store({ view, back }: { view: DocumentView; back: string }) {
  const { t } = useWords();
  const [editing, setEditing] = useState<FieldPlace | null>(null);
  const { name, successor } = view.value;
  return (
    <Screen title={typeof name === "string" && name !== "" ? name : view.key} back={back}>
      <div className="spread">
        <p className="soft">{view.key}</p>
        {view.dirty ? (
          <Badge icon="saved" tone="waits">
            {t("store.dirty")}
          </Badge>
        ) : (
          <Badge icon="done" tone="done">
            {t("store.atHq")}
          </Badge>
        )}
      </div>
      {typeof successor === "string" && successor !== "" && <MergedInto successor={successor} />}
      <PeopleHere kind={view.kind} code={view.key} editing={editing?.field ?? null} />
      {view.conflicts.length > 0 && (
        <section className="stack" aria-labelledby="conflicts">
          <h2 id="conflicts">{t("store.sections.conflicts")}</h2>
          <p className="soft">{t("store.conflict.count", { count: view.conflicts.length })}</p>
          {view.conflicts.map((path) => (
            <ConflictCard key={path} view={view} place={placeOf(path)} />
          ))}
        </section>
      )}
      {Object.entries(sections).map(([section, fields]) => (
        <FieldSection
          key={section}
          title={t(`store.sections.${section as keyof typeof sections}`)}
          fields={fields}
          view={view}
          edit={setEditing}
        />
      ))}
      <StoreNotes store={view.key} />
      <details>
        <summary className="text-button">{t("store.sections.more")}</summary>
        <FieldSection title={t("store.sections.more")} fields={more} view={view} edit={setEditing} />
      </details>
      {editing !== null && <FieldEditor view={view} place={editing} close={() => setEditing(null)} />}
    </Screen>
  );
}

interface FieldSectionProps {
  readonly title: string;
  readonly fields: readonly string[];
  readonly view: DocumentView;
  readonly edit: (place: FieldPlace) => void;
}

function FieldSection({ title, fields, view, edit }: FieldSectionProps) {
  const places = fields.flatMap((field): FieldPlace[] => {
    if (documentKinds.store.fields[field]?.column !== true) return [{ field, row: null }];
    const rows = Object.keys(view.value[field] ?? {});
    return rows.map((row) => ({ field, row }));
  });
  if (places.length === 0) return null;
  return (
    <section className="card flush" aria-label={title}>
      <header>
        <h2>{title}</h2>
      </header>
      <ul className="rows">
        {places.map((place) => (
          <li key={`${place.field}/${place.row ?? ""}`}>
            <FieldRow view={view} place={place} edit={() => edit(place)} />
          </li>
        ))}
      </ul>
    </section>
  );
}
