import { useTextField } from "../../session/use-text-field.ts";
import { fieldLabel } from "../../stores/field-text.ts";
import { NotesField } from "../../ui/NotesField.tsx";
import { useWords } from "../../ui/use-words.ts";

/** The store's notes: one text that several people write at the same time. */
export function StoreNotes({ store }: { store: string }) {
  const { t, language } = useWords();
  const notes = useTextField("store", store, "notes");
  return <NotesField label={fieldLabel("store", "notes", language)} help={t("store.notesHelp")} notes={notes} />;
}
