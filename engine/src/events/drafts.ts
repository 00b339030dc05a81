import { z } from "zod";
import { sha256Hex, utf8ToBytes } from "../core/hash.ts";
import type { Ids } from "../core/id.ts";
import type { Storage, StorageWrite } from "../storage/storage.ts";
import { decodeFrame, encodeFrame } from "../wire/index.ts";

const draftSchema = z.strictObject({ form: z.string(), id: z.uuid() });
const PREFIX = "facts/draft/";
/** A form's name may hold any character, a key may not. */
const keyOf = (form: string) => PREFIX + sha256Hex(utf8ToBytes(form)).slice(0, 32);

/** Offline ids of forms that are open: durable before the form is filled in. */
export interface Drafts {
  of(form: string): Promise<string>;
  /** The writes that end the draft with this id; they belong into the event's own commit. */
  usedUp(id: string): readonly StorageWrite[];
  /** Call it when that commit is durable. */
  forget(id: string): void;
}

export async function openDrafts(storage: Storage, ids: Ids): Promise<Drafts> {
  const idOf = new Map<string, string>();
  for (const { value } of await storage.range(PREFIX)) {
    const read = decodeFrame(draftSchema, value);
    if (read.ok) idOf.set(read.value.form, read.value.id);
  }
  const formsOf = (id: string) => [...idOf].filter(([, drafted]) => drafted === id).map(([form]) => form);
  return {
    of: async (form) => {
      const known = idOf.get(form);
      if (known !== undefined) return known;
      const id = ids.offlineId();
      await storage.commit([{ key: keyOf(form), value: encodeFrame({ form, id }) }]);
      idOf.set(form, id);
      return id;
    },
    usedUp: (id) => formsOf(id).map((form) => ({ key: keyOf(form), value: null })),
    forget: (id) => {
      for (const form of formsOf(id)) idOf.delete(form);
    },
  };
}
