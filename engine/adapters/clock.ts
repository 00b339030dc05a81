import type { Clock } from "../src/core/clock.ts";

/** The system's clocks, on Node and in browsers. Ticks restart with the process or page, so each start is a new boot. */
export function createSystemClock(): Clock {
  return {
    wallMs: () => Date.now(),
    tickMs: () => performance.now(),
    boot: globalThis.crypto.randomUUID(),
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  };
}
