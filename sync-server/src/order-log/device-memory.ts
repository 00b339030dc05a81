import { LRUCache } from "lru-cache";
import type { Transaction } from "../database/transaction.ts";
import type { PlacedCandidate } from "./admit.ts";

/** Devices of which the writer remembers where they stand; of others it asks the database. */
const DEVICES = 2_000;

/**
 * What the writer remembers of a device from one transaction to the next, so that an order that follows the one before it
 * asks the database only what nobody can know: whether it is there already. Always as the tables say; a transaction that
 * is rolled back takes it along.
 */
export interface DeviceMemory {
  /** Rows of the device in `held`, in `expected` and in `hole`. */
  held: number;
  expected: number;
  holes: number;
  /** The event placed last, where no placed event follows it: it is a tip. `top` is the highest number in its run. */
  last: {
    readonly run: string;
    readonly seq: number;
    readonly hash: string;
    readonly position: number;
    readonly top: number;
  } | null;
}

export function deviceMemory(tx: Transaction, device: string): DeviceMemory {
  const known = tx.remember("devices", () => new LRUCache<string, DeviceMemory>({ max: DEVICES }));
  const memory = known.get(device) ?? { ...counted(tx, device), last: null };
  known.set(device, memory);
  return memory;
}

/** Notes that an event was placed as a tip (or, where another follows it already, as none). */
export function noteLast(
  tx: Transaction,
  device: string,
  { run, seq, hash }: Pick<PlacedCandidate, "run" | "seq" | "hash">,
  placed: { readonly position: number; readonly isTip: boolean },
): void {
  const memory = deviceMemory(tx, device);
  const { position, isTip } = placed;
  const { last } = memory;
  const top = last?.run === run ? Math.max(last.top, seq) : topOf(tx, device, run);
  memory.last = isTip ? { run, seq, hash, position, top } : null;
}

function counted(tx: Transaction, device: string): Pick<DeviceMemory, "held" | "expected" | "holes"> {
  return tx
    .sql(
      `select (select count(*) from held where device = ?1) as held,
              (select count(*) from expected where device = ?1) as expected,
              (select count(*) from hole where device = ?1) as holes`,
    )
    .get(device) as unknown as Pick<DeviceMemory, "held" | "expected" | "holes">;
}

function topOf(tx: Transaction, device: string, run: string): number {
  const row = tx
    .sql("select max(seq) as top from log where device = ? and run = ? and type = 'event'")
    .get(device, run) as { top: number };
  return row.top;
}
