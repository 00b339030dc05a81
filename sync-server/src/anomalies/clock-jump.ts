import { defineDetector } from "./detector.ts";
import { durationWords } from "./words.ts";
import { utcFromMs } from "@sampai/engine/core";

interface State {
  /** Wall time minus tick of the observation before, null at the start of a boot. */
  readonly offsetMs: number | null;
  readonly toldImpossible: boolean;
}

type Evidence =
  | { readonly cause: "moved"; readonly byMs: number; readonly wall: string }
  | { readonly cause: "impossible"; readonly wall: string; readonly received: string };

/** A wall clock may be set by the network without anyone lying. */
export const CLOCK_TOLERANCE_MS = 120_000;
const FUTURE_MS = 300_000;
const FIRST_YEAR_MS = Date.UTC(2020, 0, 1);
const HALF_HOUR_MS = 1_800_000;

/** The phone's wall clock was moved while it ran: wall time and tick no longer go together. Times are corrected by the tick. */
export const clockJump = defineDetector<State, Evidence>({
  name: "clock-jump",
  version: 1,
  subject: "boot",
  consequence: "annotate",
  start: () => ({ offsetMs: null, toldImpossible: false }),
  step: (state, seen) => {
    const { wallMs, tick } = seen.clock;
    const offsetMs = wallMs - tick;
    const wall = utcFromMs(wallMs);
    if (state.offsetMs !== null && Math.abs(offsetMs - state.offsetMs) > CLOCK_TOLERANCE_MS) {
      const evidence = { cause: "moved" as const, byMs: Math.round(offsetMs - state.offsetMs), wall };
      return { state: { ...state, offsetMs }, findings: [{ event: seen, evidence }] };
    }
    const isImpossible = wallMs < FIRST_YEAR_MS || wallMs > seen.receivedMs + FUTURE_MS;
    if (!isImpossible || state.toldImpossible) return { state: { ...state, offsetMs } };
    const evidence = { cause: "impossible" as const, wall, received: utcFromMs(seen.receivedMs) };
    return { state: { offsetMs, toldImpossible: true }, findings: [{ event: seen, evidence }] };
  },
  sentence: (evidence) => {
    if (evidence.cause === "impossible") {
      return `The phone's clock said ${evidence.wall}, but the event was here at ${evidence.received}.`;
    }
    const halfHours = Math.round(evidence.byMs / HALF_HOUR_MS);
    const isZone = halfHours !== 0 && Math.abs(evidence.byMs - halfHours * HALF_HOUR_MS) < 5_000;
    const how = isZone ? ", exactly as when a time zone is set by hand" : "";
    return `The phone's clock was moved ${evidence.byMs < 0 ? "back" : "forward"} ${durationWords(evidence.byMs)} to ${evidence.wall}${how}; times are taken from its running counter.`;
  },
});
