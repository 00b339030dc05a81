import type { Files } from "../src/storage/files.ts";
import { answer, openDatabase } from "./indexeddb-storage.ts";

const FILES = "files";

/**
 * Whole files in IndexedDB, written once with strict durability. They have a database of their own: a photo of some
 * megabytes never stands in front of an order's commit.
 */
export async function openIndexedDbFiles(name: string): Promise<Files> {
  const db = await openDatabase(name, FILES);

  const change = (act: (store: IDBObjectStore) => void) =>
    new Promise<void>((resolve, reject) => {
      const transaction = db.transaction(FILES, "readwrite", { durability: "strict" });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser gave the transaction up"));
      try {
        act(transaction.objectStore(FILES));
      } catch (error) {
        transaction.abort();
        reject(error);
      }
    });

  return {
    list: async (folder) => {
      const prefix = `${folder}/`;
      const within = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      const paths = await answer(db.transaction(FILES).objectStore(FILES).getAllKeys(within));
      return paths.map((path) => (path as string).slice(prefix.length)).filter((file) => !file.includes("/"));
    },
    read: async (path) => {
      const found: unknown = await answer(db.transaction(FILES).objectStore(FILES).get(path));
      return found instanceof Uint8Array ? found : undefined;
    },
    // `add`, not `put`: a name that is taken aborts the transaction. Copied, so that a view does not drag its buffer along.
    write: (path, bytes) => {
      const copy = bytes.slice();
      return change((store) => store.add(copy, path));
    },
    remove: (path) => change((store) => store.delete(path)),
  };
}
