import type { Clock } from "../core/clock.ts";
import type { Storage, StorageWrite } from "../storage/storage.ts";

/** Half a second of notes may be lost by a kill; a commit for each would cost more than they are worth. */
const DELAY_MS = 500;

/** Small durable notes (attempts, bytes spent) that ride on other commits, or are written together a little later. */
export interface Notes {
  /** Something is to be written: `take` gives the newest state of it once and then nothing until it changes again. */
  changed(): void;
  /** For a commit that is made anyway. */
  take(): StorageWrite[];
  /** Resolves when everything noted so far is durable. */
  flush(): Promise<void>;
}

export function createNotes(storage: Storage, clock: Clock, sources: readonly (() => StorageWrite[])[]): Notes {
  let planned: (() => void) | null = null;
  const take = () => {
    planned?.();
    planned = null;
    return sources.flatMap((source) => source());
  };
  const flush = async () => {
    const writes = take();
    if (writes.length > 0) await storage.commit(writes);
  };
  return {
    changed: () => {
      planned ??= clock.after(DELAY_MS, () => {
        planned = null;
        // A disk that takes no note takes no event either, and that is where it is told.
        flush().catch(() => {});
      });
    },
    take,
    flush,
  };
}
