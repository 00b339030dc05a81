import type { Files } from "../src/storage/files.ts";

/** What is used of `@capacitor/filesystem` 8. `D` is its enumeration of directories. */
export interface CapacitorFilesystem<D> {
  mkdir(options: { path: string; directory: D; recursive: boolean }): Promise<unknown>;
  readdir(options: { path: string; directory: D }): Promise<{ files: { name: string; type: string }[] }>;
  readFile(options: { path: string; directory: D }): Promise<{ data: string | Blob }>;
  writeFile(options: { path: string; directory: D; data: string; recursive: boolean }): Promise<unknown>;
  deleteFile(options: { path: string; directory: D }): Promise<unknown>;
}

/**
 * Files of the installed app below `root` in `directory`, which no cloud backup may copy: a phone restored from a
 * backup must not number events twice. Written once under new names, never renamed or overwritten: on both platforms
 * the plugin's rename deletes the destination first, and a write truncates in place. The plugin does not fsync: what is
 * written survives the app and a crash of it; a power cut can tear the last files, which their checksums tell.
 */
export function createCapacitorFiles<D>(plugin: CapacitorFilesystem<D>, directory: D, root: string): Files {
  const at = (path: string) => ({ path: `${root}/${path}`, directory });
  /** Names in each folder that was looked at. Only this app writes here. */
  const folders = new Map<string, Set<string>>();
  /** Calls cross a bridge whose order is not promised: one change after the other. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };

  /** Which error says that a file is missing differs by platform, so none is believed: the folder's listing is. */
  const look = async (folder: string): Promise<Set<string>> => {
    await plugin.mkdir({ ...at(folder), recursive: true }).catch(() => {
      // It is there already. Where it cannot be made at all, reading it fails.
    });
    const { files } = await plugin.readdir(at(folder));
    const names = new Set(files.filter(({ type }) => type === "file").map(({ name }) => name));
    folders.set(folder, names);
    return names;
  };
  const namesIn = async (folder: string) => folders.get(folder) ?? look(folder);

  return {
    list: (folder) => inTurn(async () => [...(await look(folder))]),
    read: async (path) => {
      const [folder, name] = split(path);
      try {
        const { data } = await plugin.readFile(at(path));
        return typeof data === "string" ? bytesFrom(data) : new Uint8Array(await data.arrayBuffer());
      } catch (error) {
        if ((await inTurn(() => look(folder))).has(name)) throw error;
        return undefined;
      }
    },
    write: async (path, bytes) => {
      const [folder, name] = split(path);
      const data = base64From(bytes);
      return inTurn(async () => {
        const names = await namesIn(folder);
        if (names.has(name)) throw new Error(`${path} is there already`);
        // Taken from now on, also where the write fails half way.
        names.add(name);
        await plugin.writeFile({ ...at(path), data, recursive: true });
      });
    },
    remove: async (path) => {
      const [folder, name] = split(path);
      return inTurn(async () => {
        if (!(await namesIn(folder)).has(name)) return;
        try {
          await plugin.deleteFile(at(path));
        } catch (error) {
          if ((await look(folder)).has(name)) throw error;
        }
        folders.get(folder)?.delete(name);
      });
    },
  };
}

/** iOS takes a new path without an extension for a folder, so every file MUST have one. */
function split(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  if (slash < 1 || !/^[^.].*\.[^.]+$/.test(name)) throw new Error(`${path} is no folder and name with an extension`);
  return [path.slice(0, slash), name];
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
