import { utf8ToBytes, type Storage } from "@sampai/engine";

/** What stands in half-filled forms, so that no reload and no flat battery makes anybody type an order again. */
export interface SavedForms {
  read(form: string): Promise<unknown>;
  save(form: string, content: unknown): Promise<void>;
  forget(form: string): Promise<void>;
}

/** Storage keys are plain: whatever else a form's name holds is written as its code. */
const keyOf = (form: string) =>
  `form/${form.replace(/[^A-Za-z0-9./-]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`)}`.slice(0, 200);

/** `storage` keeps the forms of one device only. */
export function createSavedForms(storage: Storage): SavedForms {
  return {
    read: async (form) => {
      const bytes = await storage.get(keyOf(form));
      return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as unknown);
    },
    save: (form, content) => storage.commit([{ key: keyOf(form), value: utf8ToBytes(JSON.stringify(content)) }]),
    forget: (form) => storage.commit([{ key: keyOf(form), value: null }]),
  };
}
