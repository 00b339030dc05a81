import type { Random } from "../core/random.ts";

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Waiting times between tries: doubled each time, and jittered so that a hundred phones do not return at once. */
export interface BackOff {
  /** The next delay: between half of 500 ms and 500 ms at first, never above 30 s. */
  nextMs(): number;
  calm(): void;
}

export function createBackOff(random: Random): BackOff {
  let tries = 0;
  return {
    nextMs: () => {
      const longestMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** tries);
      tries = Math.min(tries + 1, 16);
      const [high = 0, low = 0] = random.bytes(2);
      return Math.round(longestMs * (0.5 + (0.5 * (high * 256 + low)) / 65_535));
    },
    calm: () => {
      tries = 0;
    },
  };
}
