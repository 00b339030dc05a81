import { mayEdit, type DocumentView } from "@sampai/engine";
import { IonIcon } from "@ionic/react";
import { createOutline, helpCircleOutline } from "ionicons/icons";
import { useState } from "react";
import { useIdentity } from "../../session/identity-context.ts";
import { definitionOf, fieldLabel } from "../../stores/field-text.ts";
import { useValueText } from "../../stores/use-value-text.ts";
import { useWords } from "../../ui/use-words.ts";
import { FieldWhy } from "./FieldWhy.tsx";
import { valueAt } from "./field-value.ts";
import type { FieldPlace } from "./field-place.ts";

/** One field: its value, why it is that, and the pencil where this role may change it. */
export function FieldRow({ view, place, edit }: { view: DocumentView; place: FieldPlace; edit: () => void }) {
  const { t, language } = useWords();
  const { role } = useIdentity();
  const [why, setWhy] = useState(false);
  const definition = definitionOf("store", place.field);
  if (definition === undefined) return null;
  const value = valueAt(view, place);
  const name =
    place.row === null
      ? fieldLabel("store", place.field, language)
      : `${fieldLabel("store", place.field, language)} · ${place.row}`;
  const editable =
    definition.type !== "counter" && definition.type !== "text" && mayEdit(definition, role, value === null);
  const valueText = useValueText();
  return (
    <div className="row">
      <div className="grow">
        <span className="soft small">{name}</span>
        <span className="strong">{valueText("store", place.field, value)}</span>
        {why && <FieldWhy view={view} place={place} />}
      </div>
      <button
        type="button"
        className="icon-button"
        aria-expanded={why}
        aria-label={t("store.whyOf", { field: name })}
        onClick={() => setWhy(!why)}
      >
        <IonIcon icon={helpCircleOutline} aria-hidden="true" />
      </button>
      {editable && (
        <button type="button" className="icon-button" aria-label={t("store.edit", { field: name })} onClick={edit}>
          <IonIcon icon={createOutline} aria-hidden="true" />
        </button>
      )}
    </div>
  );
}
