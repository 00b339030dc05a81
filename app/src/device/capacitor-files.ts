import { Directory, Filesystem } from "@capacitor/filesystem";
import type { Files } from "@sampai/engine";
import { Capacitor } from "@capacitor/core";

/**
 * Files of the installed app, below `root` in the app's own folder that no cloud backup copies (a phone restored from
 * a backup must not number events twice). Written once and never renamed: on both platforms the plugin's rename
 * deletes the destination first. The plugin does not fsync: what is written survives the app, and a crash of it.
 */
export function createCapacitorFiles(root: string): Files {
  const directory = Capacitor.getPlatform() === "ios" ? Directory.LibraryNoCloud : Directory.Data;
  const at = (path: string) => ({ path: `${root}/${path}`, directory });
  const exists = async (path: string) => {
    try {
      await Filesystem.stat(at(path));
      return true;
    } catch {
      return false;
    }
  };
  return {
    list: async (folder) => {
      if (!(await exists(folder))) return [];
      const { files } = await Filesystem.readdir(at(folder));
      return files.filter(({ type }) => type === "file").map(({ name }) => name);
    },
    read: async (path) => {
      if (!(await exists(path))) return undefined;
      const { data } = await Filesystem.readFile(at(path));
      return typeof data === "string" ? bytesFrom(data) : new Uint8Array(await data.arrayBuffer());
    },
    write: async (path, bytes) => {
      if (await exists(path)) throw new Error(`${path} is there already`);
      await Filesystem.writeFile({ ...at(path), data: base64From(bytes), recursive: true });
    },
    remove: async (path) => {
      if (await exists(path)) await Filesystem.deleteFile(at(path));
    },
  };
}

/** Characters that `String.fromCharCode` takes at once on every engine. */
const CHUNK = 8_192;

function base64From(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return btoa(text);
}

function bytesFrom(base64: string): Uint8Array {
  const text = atob(base64);
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
