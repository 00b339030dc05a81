import type { Files, Storage } from "@sampai/engine";
import { openSegments } from "@sampai/engine";
import { openIndexedDbFiles } from "@sampai/engine/adapters/indexeddb-files";
import { openIndexedDbStorage } from "@sampai/engine/adapters/indexeddb-storage";
import { createCapacitorFiles } from "./capacitor-files.ts";
import { isNative } from "./platform.ts";

/** A key space of that name: write-once files in the installed app, IndexedDB in a browser. */
export function openStorage(name: string): Promise<Storage> {
  return isNative ? openSegments(createCapacitorFiles(name)) : openIndexedDbStorage(name);
}

/** Whole files, such as photos, under that name. */
export function openFiles(name: string): Promise<Files> {
  return isNative ? Promise.resolve(createCapacitorFiles(name)) : openIndexedDbFiles(name);
}
