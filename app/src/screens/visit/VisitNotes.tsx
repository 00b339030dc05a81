import { useId } from "react";
import { useEngine } from "../../session/engine-context.tsx";
import { useTextField } from "../../session/use-text-field.ts";
import { Problem } from "../../ui/Problem.tsx";
import { useWords } from "../../ui/use-words.ts";
import type { Visit } from "../../visits/visit-history.ts";
import { ensureVisitRecord } from "../../visits/visit-record.ts";

/** Free words about a visit, in a document that the supervisor may write in too. */
export function VisitNotes({ visit }: { visit: Visit }) {
  const { t } = useWords();
  const engine = useEngine();
  const notes = useTextField("visit", visit.id, "notes", () => ensureVisitRecord(engine, visit));
  const id = useId();
  return (
    <section className="card">
      <div className="field">
        <label htmlFor={id}>{t("visit.notes")}</label>
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
          <span>{t("visit.notesHelp")}</span>
          {notes.text !== "" && (
            <span role="status">{notes.state === "saved" ? t("visit.notesSaved") : t("visit.notesSaving")}</span>
          )}
        </p>
      </div>
      <Problem
        text={notes.error === null ? null : t(`store.errors.${notes.error.code}`, { detail: detailOf(notes.error) })}
      />
    </section>
  );
}

const detailOf = (error: object) => ("detail" in error ? String(error.detail) : "");
