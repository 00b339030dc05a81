import type { Storage, StorageWrite } from "../src/storage/storage.ts";

const ENTRIES = "entries";
/** Sorts after every character that a key may have. */
const AFTER = "\uffff";

/**
 * The storage in a browser or WebView: one object store of IndexedDB, opened with strict durability, so that a commit
 * resolves only when the browser has flushed it. While one transaction is under way, the commits that arrive wait and
 * then share the next one: together they are durable, or each of them is told that it is not.
 */
export async function openIndexedDbStorage(name: string): Promise<Storage> {
  const db = await openDatabase(name, ENTRIES);
  let broken: Error | undefined;
  // The browser may close a database on its own (its data were cleared, its disk failed): nothing is promised after that.
  db.onclose = () => {
    broken = new Error(`the browser closed the database ${name}`);
  };

  interface Waiting {
    readonly writes: readonly StorageWrite[];
    readonly done: () => void;
    readonly failed: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  /** Settles with the commit called last: a read waits for it, and no longer. */
  let lastCommit: Promise<unknown> = Promise.resolve();

  const run = async () => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        if (broken !== undefined) throw broken;
        await write(
          db,
          batch.flatMap((commit) => commit.writes),
        );
        for (const commit of batch) commit.done();
      } catch (error) {
        for (const commit of batch) commit.failed(error);
      }
    }
    running = undefined;
  };

  return {
    get: async (key) => {
      await lastCommit;
      if (broken !== undefined) throw broken;
      const found: unknown = await answer(db.transaction(ENTRIES).objectStore(ENTRIES).get(key));
      return found instanceof Uint8Array ? found : undefined;
    },
    range: async (prefix) => {
      await lastCommit;
      if (broken !== undefined) throw broken;
      const store = db.transaction(ENTRIES).objectStore(ENTRIES);
      const within = IDBKeyRange.bound(prefix, prefix + AFTER);
      // Both are asked in one transaction, so they speak of the same moment.
      const [keys, values] = await Promise.all([answer(store.getAllKeys(within)), answer(store.getAll(within))]);
      return keys.map((key, index) => ({ key: key as string, value: values[index] as Uint8Array }));
    },
    commit: (writes) => {
      const commit = new Promise<void>((done, failed) => {
        // Copied now: the caller may go on using its bytes, and a view would drag its whole buffer along.
        waiting.push({
          writes: writes.map(({ key, value }) => ({ key, value: value?.slice() ?? null })),
          done,
          failed,
        });
        running ??= run();
      });
      lastCommit = commit.catch(() => undefined);
      return commit;
    },
    close: async () => {
      await lastCommit;
      await running;
      db.close();
    },
  };
}

function write(db: IDBDatabase, writes: readonly StorageWrite[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(ENTRIES, "readwrite", { durability: "strict" });
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error("the browser gave the transaction up"));
    const store = transaction.objectStore(ENTRIES);
    try {
      for (const { key, value } of writes) {
        if (value === null) store.delete(key);
        else store.put(value, key);
      }
    } catch (error) {
      // What was put before the throw would commit by itself.
      transaction.abort();
      reject(error);
    }
  });
}

/** Opens (or makes) a database with one object store whose keys stand outside its values. */
export function openDatabase(name: string, store: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(store);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error(`the database ${name} does not open`));
  });
}

export function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser did not answer"));
  });
}
