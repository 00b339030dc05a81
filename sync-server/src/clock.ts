import type { Clock } from "@sampai/engine/core";
import { randomUUID } from "node:crypto";

/** The machine's own clock. */
export function systemClock(): Clock {
  return {
    wallMs: () => Date.now(),
    tickMs: () => performance.now(),
    boot: randomUUID(),
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
