import type { Clock } from "../core/clock.ts";
import type { Random } from "../core/random.ts";

/** A signal that dropped is often back at once. */
const FIRST_MS = 100;
const SECOND_MS = 500;
const LONGEST_MS = 30_000;
/** A signal that was gone for so long is missed for at most a quarter of it again. */
const SHARE_OF_GONE = 0.25;
/** Doubled more often, every delay is the longest. */
const MOST_DOUBLINGS = 16;

/**
 * Waiting times between tries, each between half and all of the longest that its rule allows, so that a hundred phones
 * do not return at once. Where nothing answers, that is a quarter of the time that the link has been gone (never below
 * 500 ms, 100 ms for the first): how often it dropped before says nothing about when it comes back. Where tries are
 * answered and lead to nothing, it is 500 ms, doubled each time: then it is the relay that must be spared. Never above 30 s.
 */
export interface BackOff {
  /** The next delay, in milliseconds. */
  nextMs(): number;
  /** The last try was answered, by a relay that refuses or by one whose contacts end before they are of use. */
  turnedAway(): void;
  /** A contact was of use, or there is reason to believe that the next one is: the shortest delay comes next. */
  calm(): void;
}

export function createBackOff({ clock, random }: { readonly clock: Clock; readonly random: Random }): BackOff {
  /** Tick of the first try since the link was of use; null while it is. */
  let goneSinceMs: number | null = null;
  let turnedAway = 0;

  const longestMs = () => {
    const goneMs = goneSinceMs === null ? 0 : clock.tickMs() - goneSinceMs;
    const unanswered = goneSinceMs === null ? FIRST_MS : Math.max(SECOND_MS, goneMs * SHARE_OF_GONE);
    const refused = turnedAway === 0 ? 0 : SECOND_MS * 2 ** turnedAway;
    return Math.min(LONGEST_MS, Math.max(unanswered, refused));
  };
  return {
    nextMs: () => {
      const longest = longestMs();
      goneSinceMs ??= clock.tickMs();
      const [high = 0, low = 0] = random.bytes(2);
      return Math.round(longest * (0.5 + (0.5 * (high * 256 + low)) / 65_535));
    },
    turnedAway: () => {
      turnedAway = Math.min(turnedAway + 1, MOST_DOUBLINGS);
    },
    calm: () => {
      goneSinceMs = null;
      turnedAway = 0;
    },
  };
}
