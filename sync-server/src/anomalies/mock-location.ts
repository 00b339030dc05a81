import { distanceMeters } from "@sampai/engine/core";
import { defineDetector } from "./detector.ts";

interface State {
  readonly visit: string | null;
  /** Fixes of this visit so far that equal the store's record. */
  readonly equal: number;
}

type Evidence =
  | { readonly cause: "declared" }
  | { readonly cause: "equals-record"; readonly fixes: number; readonly meters: number };

/** No receiver repeats a written coordinate to six decimals. */
const EQUAL_METERS = 0.3;
const EQUAL_FIXES = 2;

/** A place that an app made up: the phone says so itself, or two fixes of a visit are the store's own record. */
export const mockLocation = defineDetector<State, Evidence>({
  name: "mock-location",
  version: 1,
  subject: "rep",
  consequence: "hold-proof",
  start: () => ({ visit: null, equal: 0 }),
  step: (state, seen) => {
    const { fix, record, visit } = seen;
    const here = visit === state.visit ? state : { visit, equal: 0 };
    if (fix === null || visit === null) return { state: here };
    if (fix.mock) return { state: here, findings: [{ event: seen, evidence: { cause: "declared" } }] };
    if (record === null || record.uncertaintyMeters > 0) return { state: here };
    const meters = distanceMeters(fix, record);
    if (meters > EQUAL_METERS) return { state: here };
    const equal = here.equal + 1;
    const next = { visit, equal };
    if (equal < EQUAL_FIXES) return { state: next };
    return { state: next, findings: [{ event: seen, evidence: { cause: "equals-record", fixes: equal, meters } }] };
  },
  sentence: (evidence) =>
    evidence.cause === "declared"
      ? "The phone says that another app supplied this location."
      : `The fix equals the store record to ${evidence.meters.toFixed(1)} m, ${evidence.fixes} times in one visit.`,
});
