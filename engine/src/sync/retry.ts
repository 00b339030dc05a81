import { utcFromMs, type Clock } from "../core/clock.ts";
import type { BackOff } from "./back-off.ts";

const REFUSED_RETRY_MS = 900_000;

/** The next try to reach the relay: at most one is planned. */
export interface Retry {
  /** RFC 3339 UTC of the planned try, or null. */
  at(): string | null;
  /** The relay asked not to be tried for so long: the next plan keeps to it. */
  spare(waitMs: number): void;
  /** Plans a try after the back-off's next delay. */
  soon(): void;
  /** Plans the try of a refused device. */
  slowly(): void;
  cancel(): void;
}

export function createRetry(deps: {
  readonly clock: Clock;
  readonly nowMs: () => number;
  readonly backOff: BackOff;
  /** The planned moment has come. */
  readonly due: () => void;
}): Retry {
  const { clock, nowMs, backOff, due } = deps;
  let at: string | null = null;
  let askedToWaitMs = 0;
  let cancelTry = () => {};

  const plan = (delayMs: number) => {
    askedToWaitMs = 0;
    at = utcFromMs(nowMs() + delayMs);
    cancelTry();
    cancelTry = clock.after(delayMs, () => {
      at = null;
      due();
    });
  };
  return {
    at: () => at,
    spare: (waitMs) => {
      askedToWaitMs = waitMs;
    },
    soon: () => plan(Math.max(backOff.nextMs(), askedToWaitMs)),
    slowly: () => plan(REFUSED_RETRY_MS),
    cancel: () => {
      at = null;
      cancelTry();
    },
  };
}
