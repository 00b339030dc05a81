import { createMemoryStorage, type Storage } from "@sampai/engine";
import type { Seeded } from "../../../engine/test/seeded.ts";

/** A phone's flash: what one process made durable is there for the next. */
export interface SimulatedFlash {
  /** The storage as one process opens it. */
  open(): CrashingStorage;
}

export interface CrashingStorage extends Storage {
  /** Whether a commit is under way. */
  waits(): boolean;
  /** Makes the oldest commit durable and answers it. */
  advance(): void;
  /** The process is gone: of the commits under way some are durable, the oldest first, and none is answered. */
  kill(): void;
}

export function createSimulatedFlash(random: Seeded): SimulatedFlash {
  const flash = createMemoryStorage();
  return {
    open: () => {
      let waiting: { readonly write: () => void; readonly done: () => void }[] = [];
      let last: Promise<void> = Promise.resolve();
      let killed = false;
      const never = new Promise<never>(() => {});
      return {
        get: async (key) => {
          await last;
          return killed ? never : flash.get(key);
        },
        range: async (prefix) => {
          await last;
          return killed ? never : flash.range(prefix);
        },
        commit: (writes) => {
          if (killed) return never;
          const copied = writes.map(({ key, value }) => ({ key, value: value === null ? null : value.slice() }));
          last = new Promise<void>((done) => {
            waiting.push({ write: () => void flash.commit(copied), done });
          });
          return last;
        },
        close: () => Promise.resolve(),
        waits: () => waiting.length > 0,
        advance: () => {
          const oldest = waiting.shift();
          oldest?.write();
          oldest?.done();
        },
        kill: () => {
          killed = true;
          for (const { write } of waiting.slice(0, random.below(waiting.length + 1))) write();
          waiting = [];
        },
      };
    },
  };
}
