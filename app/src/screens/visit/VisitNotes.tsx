import { useEngine } from "../../session/engine-context.tsx";
import { useTextField } from "../../session/use-text-field.ts";
import { NotesField } from "../../ui/NotesField.tsx";
import { useWords } from "../../ui/use-words.ts";
import type { Visit } from "../../visits/visit-history.ts";
import { ensureVisitRecord } from "../../visits/visit-record.ts";

/** Free words about a visit, in a document that the supervisor may write in too. */
export function VisitNotes({ visit }: { visit: Visit }) {
  const { t } = useWords();
  const engine = useEngine();
  const notes = useTextField("visit", visit.id, "notes", () => ensureVisitRecord(engine, visit));
  return <NotesField label={t("visit.notes")} help={t("visit.notesHelp")} notes={notes} />;
}
