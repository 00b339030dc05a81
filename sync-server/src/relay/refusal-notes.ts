import type { Clock } from "@sampai/engine/core";
import { refusals, type Refusal } from "@sampai/engine/wire";
import type { Logger } from "pino";
import { DiskFull, type Writer } from "../database/writer.ts";

/** Writes refusals to the trail. The first of a kind at once, repeats as one row with their number: nobody can flood it. */
export interface RefusalNotes {
  /** `from` is a device, or the address of a stranger. */
  note(refusal: Refusal, from: { device: string } | { address: string }, about: { via: string; item?: string }): void;
  /** Writes what was counted and not yet written. */
  close(): Promise<void>;
}

const WINDOW_MS = 60_000;
/** Different refusals counted at once; strangers beyond that share one row. */
const KINDS = 1_000;

interface Count {
  repeats: number;
  readonly sinceMs: number;
  readonly write: (repeats: number) => Promise<void>;
}

export function createRefusalNotes(writer: Writer, clock: Clock, log: Logger): RefusalNotes {
  const counts = new Map<string, Count>();
  const close = async (over: (count: Count) => boolean) => {
    for (const [key, count] of counts) {
      if (!over(count)) continue;
      counts.delete(key);
      if (count.repeats > 0) await count.write(count.repeats);
    }
  };
  return {
    note: (refusal, from, about) => {
      void close(({ sinceMs }) => clock.tickMs() - sinceMs >= WINDOW_MS);
      const device = "device" in from ? from.device : null;
      const sender = "device" in from ? from.device : counts.size < KINDS ? from.address : "many addresses";
      const key = `${refusal.code} ${sender} ${about.via}`;
      const known = counts.get(key);
      if (known !== undefined) {
        known.repeats += 1;
        return;
      }
      const write = async (repeats: number) => {
        const { code, detail } = refusal;
        const row = { code, detail, via: about.via, repeats, ...(device === null ? { address: sender } : {}) };
        try {
          await writer.run("note", {
            rows: [{ topic: "refusal", device, item: about.item ?? null, detail: row }],
          });
        } catch (error) {
          // A full disk cannot hold the note that it is full; the log still says it.
          if (!(error instanceof DiskFull)) throw error;
        }
      };
      counts.set(key, { repeats: 0, sinceMs: clock.tickMs(), write });
      log.warn({ code: refusal.code, detail: refusal.detail, sender, via: about.via }, refusals[refusal.code].meaning);
      write(0).catch((error: unknown) => log.error({ error: String(error) }, "a refusal could not be noted"));
    },
    close: () => close(() => true),
  };
}
