import { misfit, type DocumentView, type FieldDefinition, type Scalar } from "@sampai/engine";
import { useEffect, useId, useRef, useState, type SubmitEvent } from "react";
import { useEngine } from "../../session/engine-context.tsx";
import { definitionOf, fieldLabel } from "../../stores/field-text.ts";
import { Problem } from "../../ui/Problem.tsx";
import { useWords } from "../../ui/use-words.ts";
import { valueAt } from "./field-value.ts";
import type { FieldPlace } from "./field-place.ts";

interface FieldEditorProps {
  readonly view: DocumentView;
  readonly place: FieldPlace;
  readonly close: () => void;
}

/** Changes one field. Closes when the edit is durable on this device; else it says why and keeps what was typed. */
export function FieldEditor({ view, place, close }: FieldEditorProps) {
  const { t, language } = useWords();
  const engine = useEngine();
  const id = useId();
  const definition = definitionOf("store", place.field);
  const [typed, setTyped] = useState(() => editText(place.field, valueAt(view, place)));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    // The platform's own dialog keeps the focus inside, closes on Escape and gives the focus back.
    dialog.current?.showModal();
  }, []);
  if (definition === undefined) return null;
  const label = fieldLabel("store", place.field, language);

  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const value = readText(place.field, definition, typed);
    const wrong = misfit(definition, value);
    if (wrong !== null) {
      setProblem(t("store.errors.document.value", { detail: wrong }));
      return;
    }
    setBusy(true);
    const edit = { field: place.field, ...(place.row === null ? {} : { key: place.row }), set: value };
    const result = await engine.documents.edit(view.kind, view.key, [edit]);
    setBusy(false);
    if (result.ok) {
      close();
      return;
    }
    setProblem(t(`store.errors.${result.error.code}`, { detail: "detail" in result.error ? result.error.detail : "" }));
  };

  return (
    <dialog ref={dialog} className="sheet" aria-labelledby={`${id}-title`} onClose={close}>
      <form className="screen" onSubmit={(event) => void save(event)}>
        <h2 id={`${id}-title`}>{t("store.editTitle", { field: label })}</h2>
        <Problem text={problem} />
        <div className="field">
          <label htmlFor={id}>{place.row === null ? label : `${label} · ${place.row}`}</label>
          <FieldInput id={id} field={place.field} definition={definition} value={typed} change={setTyped} />
        </div>
        <div className="row-actions">
          <button type="submit" className="button" disabled={busy}>
            {t("common.save")}
          </button>
          <button type="button" className="button quiet" onClick={close}>
            {t("common.cancel")}
          </button>
        </div>
      </form>
    </dialog>
  );
}

interface FieldInputProps {
  readonly id: string;
  readonly field: string;
  readonly definition: FieldDefinition;
  readonly value: string;
  readonly change: (value: string) => void;
}

function FieldInput({ id, field, definition, value, change }: FieldInputProps) {
  const { t, language } = useWords();
  switch (definition.type) {
    case "enum":
      return (
        <select id={id} className="input" value={value} onChange={({ target }) => change(target.value)}>
          <option value="">{t("common.none")}</option>
          {definition.options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label[language]}
            </option>
          ))}
        </select>
      );
    case "boolean":
    case "set":
      return (
        <select id={id} className="input" value={value} onChange={({ target }) => change(target.value)}>
          <option value="">{t("common.none")}</option>
          <option value="true">{t("common.yes")}</option>
          <option value="false">{t("common.no")}</option>
        </select>
      );
    case "date":
      return (
        <input id={id} type="date" className="input" value={value} onChange={({ target }) => change(target.value)} />
      );
    case "words":
      return (
        <textarea
          id={id}
          className="input"
          maxLength={definition.max}
          value={value}
          onChange={({ target }) => change(target.value)}
        />
      );
    case "integer":
    case "number":
    case "code":
    case "time":
    case "text":
    case "counter":
      return (
        <input
          id={id}
          className="input"
          autoComplete="off"
          inputMode={definition.type === "integer" || definition.type === "number" ? "decimal" : "text"}
          value={value}
          aria-describedby={field.endsWith("Sen") ? `${id}-unit` : undefined}
          onChange={({ target }) => change(target.value)}
        />
      );
  }
}

/** Money is typed in ringgit and kept in sen. */
const isMoney = (field: string) => field.endsWith("Sen");

function editText(field: string, value: Scalar): string {
  if (value === null) return "";
  return isMoney(field) && typeof value === "number" ? (value / 100).toFixed(2) : String(value);
}

function readText(field: string, definition: FieldDefinition, typed: string): Scalar {
  const text = typed.trim();
  if (text === "") return null;
  if (definition.type === "boolean" || definition.type === "set") return text === "true";
  if (definition.type !== "integer" && definition.type !== "number") return text;
  const number = Number(text.replaceAll(",", ""));
  if (Number.isNaN(number)) return text;
  return isMoney(field) ? Math.round(number * 100) : number;
}
