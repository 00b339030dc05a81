import type { Clock } from "../core/clock.ts";
import type { Random } from "../core/random.ts";
import type { PhotoWait } from "./photos.ts";

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/** Doubled more often, every pause is the longest. */
const MOST_DOUBLINGS = 10;

interface Pause {
  readonly untilTick: number;
  readonly waitsFor: PhotoWait;
}

/** What holds uploads back for a while after they failed: one of them by its key, or all of them. */
export interface Pauses {
  /** What this upload waits for, null where nothing holds it back. */
  waitsFor(key: string): PhotoWait | null;
  /** It failed: a pause of 0.5 to 1 s, doubled with each failure in a row, never above a minute. */
  failed(key: string, waitsFor: PhotoWait): void;
  /** Some of its bytes were acknowledged: the next failure counts as the first. */
  succeeded(key: string): void;
  pause(key: string, waitsFor: PhotoWait, delayMs: number): void;
  pauseAll(waitsFor: PhotoWait, delayMs: number): void;
  /** A new contact is a new chance: only what the relay's quota said outlives it. */
  contact(): void;
  /** Milliseconds until the first pause is over, null where there is none. */
  nextEndMs(): number | null;
}

export function createPauses({ clock, random }: { readonly clock: Clock; readonly random: Random }): Pauses {
  const one = new Map<string, Pause>();
  const failures = new Map<string, number>();
  let all: Pause | null = null;
  const until = (waitsFor: PhotoWait, delayMs: number): Pause => ({ untilTick: clock.tickMs() + delayMs, waitsFor });
  const held = (pause: Pause | null | undefined): PhotoWait | null =>
    pause !== null && pause !== undefined && pause.untilTick > clock.tickMs() ? pause.waitsFor : null;

  return {
    waitsFor: (key) => held(all) ?? held(one.get(key)),
    failed: (key, waitsFor) => {
      const before = failures.get(key) ?? 0;
      failures.set(key, Math.min(before + 1, MOST_DOUBLINGS));
      const longestMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** before);
      // Half fixed, half random, so that many phones do not come back at once.
      one.set(key, until(waitsFor, Math.round(longestMs * (0.5 + (0.5 * (random.bytes(1)[0] as number)) / 255))));
    },
    succeeded: (key) => {
      failures.delete(key);
    },
    pause: (key, waitsFor, delayMs) => {
      one.set(key, until(waitsFor, delayMs));
    },
    pauseAll: (waitsFor, delayMs) => {
      all = until(waitsFor, delayMs);
    },
    contact: () => {
      one.clear();
      failures.clear();
      if (all?.waitsFor !== "quota") all = null;
    },
    nextEndMs: () => {
      const now = clock.tickMs();
      const ends = [...one.values(), ...(all === null ? [] : [all])]
        .map(({ untilTick }) => untilTick - now)
        .filter((leftMs) => leftMs > 0);
      return ends.length === 0 ? null : Math.min(...ends);
    },
  };
}
