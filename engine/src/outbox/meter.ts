import { z } from "zod";
import type { NetworkKind } from "../core/network.ts";
import type { Storage, StorageWrite } from "../storage/storage.ts";
import { decodeFrame, encodeFrame } from "../wire/index.ts";
import { laneNames, type LaneName, type Meter } from "./lanes.ts";

const countsSchema = z.strictObject({ sentBytes: z.int().min(0), receivedBytes: z.int().min(0) });
const byLaneSchema = z.strictObject({
  link: countsSchema,
  facts: countsSchema,
  documents: countsSchema,
  photos: countsSchema,
});
const daySchema = z.strictObject({
  day: z.string(),
  networks: z.strictObject({ wifi: byLaneSchema, mobile: byLaneSchema, roaming: byLaneSchema }),
});
type SpentCounts = z.infer<typeof countsSchema>;
/** Bytes by lane; `link` is what belongs to none: claims, notices. */
export type SpentByLane = z.infer<typeof byLaneSchema>;
/** Bytes of one day of the workspace's zone, by kind of network and lane. */
export type DaySpent = z.infer<typeof daySchema>;

/** Counts bytes for the day that is running, and remembers the count over a restart, but for its last half second. */
export interface DayMeter extends Meter {
  today(): DaySpent;
  /** Today's bytes of one lane on one kind of network, sent and received together. */
  laneBytes(network: NetworkKind, lane: LaneName): number;
  /** Today's bytes of all kinds of network. */
  byLane(): SpentByLane;
  total(): { readonly day: string } & SpentCounts;
  /** What has to be written since the last call. */
  writes(): StorageWrite[];
}

const KEY = "outbox/spent";
const countedLanes = [...laneNames, "link"] as const;

export async function openMeter(options: {
  readonly storage: Storage;
  /** The day of the workspace's zone that is running. */
  readonly day: () => string;
  /** On what kind of network bytes go now. */
  readonly network: () => NetworkKind;
  /** Called when `writes` has something new. */
  readonly changed: () => void;
}): Promise<DayMeter> {
  const { storage, day, network, changed } = options;
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
    const counts = today().networks[network()][lane];
    counts.sentBytes += sentBytes;
    counts.receivedBytes += receivedBytes;
    unwritten = true;
    changed();
  };
  const byLane = (): SpentByLane => {
    const lanes = noneByLane();
    for (const network of Object.values(today().networks))
      for (const lane of countedLanes) lanes[lane] = sum([lanes[lane], network[lane]]);
    return lanes;
  };
  return {
    sent: (lane, bytes) => count(lane, bytes, 0),
    received: (lane, bytes) => count(lane, 0, bytes),
    today,
    laneBytes: (network, lane) => {
      const { sentBytes, receivedBytes } = today().networks[network][lane];
      return sentBytes + receivedBytes;
    },
    byLane,
    total: () => ({ day: today().day, ...sum(Object.values(byLane())) }),
    writes: () => {
      if (!unwritten) return [];
      unwritten = false;
      return [{ key: KEY, value: encodeFrame(spent) }];
    },
  };
}

const none = (): SpentCounts => ({ sentBytes: 0, receivedBytes: 0 });
const noneByLane = (): SpentByLane => ({ link: none(), facts: none(), documents: none(), photos: none() });

function empty(day: string): DaySpent {
  return { day, networks: { wifi: noneByLane(), mobile: noneByLane(), roaming: noneByLane() } };
}

function sum(counts: readonly SpentCounts[]): SpentCounts {
  return {
    sentBytes: counts.reduce((all, { sentBytes }) => all + sentBytes, 0),
    receivedBytes: counts.reduce((all, { receivedBytes }) => all + receivedBytes, 0),
  };
}
