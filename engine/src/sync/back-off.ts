import type { Random } from "../core/random.ts";

/** A signal that dropped is often back at once. */
const FIRST_MS = 100;
const SECOND_MS = 500;
const LONGEST_MS = 30_000;

/** Waiting times between tries: ever longer, and jittered so that a hundred phones do not return at once. */
export interface BackOff {
  /** The next delay: between 50 and 100 ms, then 250 and 500 ms, doubled each time, never above 30 s. */
  nextMs(): number;
  calm(): void;
}

export function createBackOff(random: Random): BackOff {
  let tries = 0;
  return {
    nextMs: () => {
      const longestMs = tries === 0 ? FIRST_MS : Math.min(LONGEST_MS, SECOND_MS * 2 ** (tries - 1));
      tries = Math.min(tries + 1, 16);
      const [high = 0, low = 0] = random.bytes(2);
      return Math.round(longestMs * (0.5 + (0.5 * (high * 256 + low)) / 65_535));
    },
    calm: () => {
      tries = 0;
    },
  };
}
