import { z } from "zod";
import type { Storage, StorageWrite } from "../storage/storage.ts";
import { decodeFrame, encodeFrame } from "../wire/index.ts";
import type { LaneName, Meter } from "./lanes.ts";

const countsSchema = z.strictObject({ sentBytes: z.int().min(0), receivedBytes: z.int().min(0) });
const daySchema = z.strictObject({
  day: z.string(),
  lanes: z.strictObject({
    link: countsSchema,
    facts: countsSchema,
    documents: countsSchema,
    photos: countsSchema,
  }),
});
/** Bytes of one day of the workspace, by lane; `link` is what belongs to none: claims, notices. */
export type DaySpent = z.infer<typeof daySchema>;

/** Counts bytes for the day that is running, and remembers the count over a restart. */
export interface DayMeter extends Meter {
  today(): DaySpent;
  total(): { readonly day: string; readonly sentBytes: number; readonly receivedBytes: number };
  /** What has to be written since the last call. */
  writes(): StorageWrite[];
}

const KEY = "outbox/spent";

export async function openMeter(storage: Storage, day: () => string, changed: () => void): Promise<DayMeter> {
  const stored = await storage.get(KEY);
  const read = stored === undefined ? undefined : decodeFrame(daySchema, stored);
  let spent: DaySpent = read?.ok === true ? read.value : empty(day());
  let unwritten = false;
  const today = (): DaySpent => {
    const now = day();
    if (spent.day !== now) spent = empty(now);
    return spent;
  };
  const count = (lane: LaneName | "link", sentBytes: number, receivedBytes: number) => {
    const counts = today().lanes[lane];
    counts.sentBytes += sentBytes;
    counts.receivedBytes += receivedBytes;
    unwritten = true;
    changed();
  };
  return {
    sent: (lane, bytes) => count(lane, bytes, 0),
    received: (lane, bytes) => count(lane, 0, bytes),
    today,
    total: () => {
      const { day, lanes } = today();
      const all = Object.values(lanes);
      return {
        day,
        sentBytes: all.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
        receivedBytes: all.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
      };
    },
    writes: () => {
      if (!unwritten) return [];
      unwritten = false;
      return [{ key: KEY, value: encodeFrame(spent) }];
    },
  };
}

function empty(day: string): DaySpent {
  const none = () => ({ sentBytes: 0, receivedBytes: 0 });
  return { day, lanes: { link: none(), facts: none(), documents: none(), photos: none() } };
}
