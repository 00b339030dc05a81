import { z } from "zod";
import type { Storage, StorageWrite } from "../storage/storage.ts";
import { attemptSchema, decodeFrame, encodeFrame, limits, type Attempt } from "../wire/index.ts";

/** The last tries to send something: durable, numbered without a gap, bounded. */
export interface Attempts {
  note(attempt: Omit<Attempt, "number">): void;
  /** Oldest first. */
  list(): readonly Attempt[];
  /** Those that the relay was not told of, oldest first, at most `count`. */
  untold(count: number): readonly Attempt[];
  /** The relay took those up to this number. */
  told(number: number): void;
  /** What has to be written since the last call. */
  writes(): StorageWrite[];
}

const toldSchema = z.strictObject({ number: z.int() });
const PREFIX = "outbox/attempt/";
const TOLD = "outbox/attempts-told";
const keyOf = (number: number) => PREFIX + String(number).padStart(12, "0");

export async function openAttempts(storage: Storage, changed: () => void): Promise<Attempts> {
  let ring: Attempt[] = (await storage.range(PREFIX)).flatMap(({ value }) => {
    const read = decodeFrame(attemptSchema, value);
    return read.ok ? [read.value] : [];
  });
  const storedTold = await storage.get(TOLD);
  const readTold = storedTold === undefined ? undefined : decodeFrame(toldSchema, storedTold);
  let toldNumber = readTold?.ok === true ? readTold.value.number : 0;
  let next = Math.max(ring.at(-1)?.number ?? 0, toldNumber) + 1;
  let unwritten: StorageWrite[] = [];

  return {
    note: (attempt) => {
      const noted: Attempt = { number: next, ...attempt };
      next += 1;
      ring.push(noted);
      unwritten.push({ key: keyOf(noted.number), value: encodeFrame(noted) });
      const dropped = ring.slice(0, Math.max(0, ring.length - limits.attempts));
      ring = ring.slice(dropped.length);
      for (const { number } of dropped) unwritten.push({ key: keyOf(number), value: null });
      changed();
    },
    list: () => ring,
    untold: (count) => ring.filter(({ number }) => number > toldNumber).slice(0, count),
    told: (number) => {
      if (number <= toldNumber) return;
      toldNumber = number;
      unwritten.push({ key: TOLD, value: encodeFrame({ number }) });
      changed();
    },
    writes: () => {
      const writes = unwritten;
      unwritten = [];
      return writes;
    },
  };
}
