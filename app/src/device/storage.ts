import { Capacitor } from "@capacitor/core";
import { Directory, Filesystem } from "@capacitor/filesystem";
import type { Files, Storage } from "@sampai/engine";
import { openSegments } from "@sampai/engine";
import { createCapacitorFiles } from "@sampai/engine/adapters/capacitor-files";
import { openIndexedDbFiles } from "@sampai/engine/adapters/indexeddb-files";
import { openIndexedDbStorage } from "@sampai/engine/adapters/indexeddb-storage";
import { isNative } from "./platform.ts";

/** A key space of that name: write-once files in the installed app, IndexedDB in a browser. */
export function openStorage(name: string): Promise<Storage> {
  return isNative ? openSegments(installedFiles(name)) : openIndexedDbStorage(name);
}

/** Whole files, such as photos, under that name. */
export function openFiles(name: string): Promise<Files> {
  return isNative ? Promise.resolve(installedFiles(name)) : openIndexedDbFiles(name);
}

/** The app's own folder that no cloud backup copies. On Android the whole app is left out of backups. */
function installedFiles(name: string): Files {
  const directory = Capacitor.getPlatform() === "ios" ? Directory.LibraryNoCloud : Directory.Data;
  return createCapacitorFiles(Filesystem, directory, name);
}
