import type { Files } from "./files.ts";
import type { Storage } from "./storage.ts";

/** A storage that forgets everything with the process: for tests and simulations. */
export function createMemoryStorage(): Storage {
  const values = new Map<string, Uint8Array>();
  return {
    get: (key) => Promise.resolve(values.get(key)),
    range: (prefix) =>
      Promise.resolve(
        [...values.keys()]
          .filter((key) => key.startsWith(prefix))
          .sort()
          .map((key) => ({ key, value: values.get(key) as Uint8Array })),
      ),
    commit: (writes) => {
      for (const { key, value } of writes) {
        if (value === null) values.delete(key);
        else values.set(key, new Uint8Array(value));
      }
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

/** Files that live in memory, with the same rules as real ones. */
export function createMemoryFiles(): Files {
  const files = new Map<string, Uint8Array>();
  return {
    list: (folder) => {
      const prefix = `${folder}/`;
      const names = [...files.keys()]
        .filter((path) => path.startsWith(prefix))
        .map((path) => path.slice(prefix.length));
      return Promise.resolve(names.filter((name) => !name.includes("/")));
    },
    read: (path) => Promise.resolve(files.get(path)),
    write: (path, bytes) => {
      if (files.has(path)) return Promise.reject(new Error(`${path} is there already`));
      files.set(path, new Uint8Array(bytes));
      return Promise.resolve();
    },
    remove: (path) => {
      files.delete(path);
      return Promise.resolve();
    },
  };
}
