import { utcFromMs, type Clock } from "../core/clock.ts";
import type { Attempts } from "../outbox/attempts.ts";

/** Takes down the tries to reach the relay, one line for each, among the attempts. */
export interface Tries {
  /** What became of a contact that was tried at the tick `sinceMs`: `lost` after the relay had answered, `failed` before. */
  note(outcome: "opened" | "failed" | "lost", sinceMs: number): void;
  /** The relay has answered: a row of failures is over. */
  reached(): void;
}

export function createTries(deps: {
  readonly clock: Clock;
  readonly nowMs: () => number;
  readonly attempts: Attempts;
}): Tries {
  const { clock, nowMs, attempts } = deps;
  let failures = 0;
  return {
    note: (outcome, sinceMs) => {
      if (outcome === "failed") {
        failures += 1;
        // Of a row of failures only the first, second, fourth, eighth … is kept.
        if ((failures & (failures - 1)) !== 0) return;
      }
      const tookMs = Math.round(clock.tickMs() - sinceMs);
      attempts.note({ at: utcFromMs(nowMs()), lane: "link", bytes: 0, outcome, tookMs });
    },
    reached: () => {
      failures = 0;
    },
  };
}
