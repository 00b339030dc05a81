import { useId } from "react";
import type { TextField } from "../session/use-text-field.ts";
import { Problem } from "./Problem.tsx";
import { useWords } from "./use-words.ts";

/** Free words that several people write at the same time, with what became of them. */
export function NotesField({ label, help, notes }: { label: string; help: string; notes: TextField }) {
  const { t } = useWords();
  const id = useId();
  const { error } = notes;
  return (
    <section className="card">
      <div className="field">
        <label htmlFor={id}>{label}</label>
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
          <span>{help}</span>
          {notes.text !== "" && (
            <span role="status">{notes.state === "saved" ? t("visit.notesSaved") : t("visit.notesSaving")}</span>
          )}
        </p>
      </div>
      <Problem
        text={
          error === null ? null : t(`store.errors.${error.code}`, { detail: "detail" in error ? error.detail : "" })
        }
      />
    </section>
  );
}
