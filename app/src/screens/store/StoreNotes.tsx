import { useId } from "react";
import { useTextField } from "../../session/use-text-field.ts";
import { fieldLabel } from "../../stores/field-text.ts";
import { Problem } from "../../ui/Problem.tsx";
import { useWords } from "../../ui/use-words.ts";

/** The store's notes: one text that several people write at the same time. */
export function StoreNotes({ store }: { store: string }) {
  const { t, language } = useWords();
  const notes = useTextField("store", store, "notes");
  const id = useId();
  return (
    <section className="card">
      <div className="field">
        <label htmlFor={id}>{fieldLabel("store", "notes", language)}</label>
        <textarea
          id={id}
          className="input"
          maxLength={20_000}
          value={notes.text}
          aria-describedby={`${id}-help`}
          onChange={({ target }) => notes.change(target.value)}
          onBlur={notes.flush}
        />
        <p id={`${id}-help`} className="help spread">
          <span>{t("store.notesHelp")}</span>
          {notes.text !== "" && (
            <span role="status">{notes.state === "saved" ? t("visit.notesSaved") : t("visit.notesSaving")}</span>
          )}
        </p>
      </div>
      <Problem
        text={
          notes.error === null
            ? null
            : t(`store.errors.${notes.error.code}`, { detail: "detail" in notes.error ? notes.error.detail : "" })
        }
      />
    </section>
  );
}
