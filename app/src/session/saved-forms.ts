import { utf8ToBytes, type Storage } from "@sampai/engine";

/** What stands in half-filled forms, so that no reload and no flat battery makes anybody type an order again. */
export interface SavedForms {
  read(form: string): Promise<unknown>;
  save(form: string, content: unknown): Promise<void>;
  forget(form: string): Promise<void>;
}

export function createSavedForms(storage: Storage): SavedForms {
  return {
    read: async (form) => {
      const bytes = await storage.get(form);
      return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as unknown);
    },
    save: (form, content) => storage.commit([{ key: form, value: utf8ToBytes(JSON.stringify(content)) }]),
    forget: (form) => storage.commit([{ key: form, value: null }]),
  };
}
