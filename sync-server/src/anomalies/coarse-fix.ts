import { defineDetector } from "./detector.ts";
import { COARSE_METERS, inCountry } from "./trust.ts";
import { distanceWords } from "./words.ts";

/** A fix too coarse to confirm a store. In malls and basements that is ordinary: it is marked, never held. */
export const coarseFix = defineDetector<null, { readonly accuracyMeters: number }>({
  name: "coarse-fix",
  version: 1,
  subject: "event",
  consequence: "annotate",
  start: () => null,
  step: (_, seen) => {
    const { fix } = seen;
    if (fix === null || fix.accuracy <= COARSE_METERS || !inCountry(fix)) return { state: null };
    return { state: null, findings: [{ event: seen, evidence: { accuracyMeters: fix.accuracy } }] };
  },
  sentence: ({ accuracyMeters }) =>
    `The fix is only good to ${distanceWords(accuracyMeters)}: it cannot confirm the store.`,
});
