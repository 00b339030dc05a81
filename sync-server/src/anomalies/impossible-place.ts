import { distanceMeters } from "@sampai/engine/core";
import { defineDetector } from "./detector.ts";
import { inCountry } from "./trust.ts";
import { distanceWords } from "./words.ts";

type Evidence =
  | { readonly cause: "null-island"; readonly lat: number; readonly lon: number }
  | {
      readonly cause: "swapped";
      readonly lat: number;
      readonly lon: number;
      /** From the store's record to the swapped fix, null where the record has no place. */
      readonly metersFromStore: number | null;
    }
  | { readonly cause: "out-of-country"; readonly lat: number; readonly lon: number };

/** A sensor without a fix says zero, zero; on the equator one of the two can be right, never both. */
const NULL_ISLAND_DEGREES = 0.2;

/** A place where nobody can be: zero, zero; latitude and longitude swapped; outside the country. */
export const impossiblePlace = defineDetector<null, Evidence>({
  name: "impossible-place",
  version: 1,
  subject: "event",
  consequence: "hold-proof",
  start: () => null,
  step: (_, seen) => {
    const { fix, record } = seen;
    if (fix === null || inCountry(fix)) return { state: null };
    const { lat, lon } = fix;
    const swapped = { lat: lon, lon: lat };
    const evidence: Evidence =
      Math.abs(lat) < NULL_ISLAND_DEGREES && Math.abs(lon) < NULL_ISLAND_DEGREES
        ? { cause: "null-island", lat, lon }
        : inCountry(swapped)
          ? { cause: "swapped", lat, lon, metersFromStore: record === null ? null : distanceMeters(swapped, record) }
          : { cause: "out-of-country", lat, lon };
    return { state: null, findings: [{ event: seen, evidence }] };
  },
  sentence: (evidence) => {
    const { lat, lon } = evidence;
    switch (evidence.cause) {
      case "null-island":
        return `The phone says ${lat}, ${lon}, a point in the sea off Africa: its sensor had no fix.`;
      case "swapped": {
        const store =
          evidence.metersFromStore === null
            ? "in the country"
            : `${distanceWords(evidence.metersFromStore)} from the store`;
        return `Latitude ${lat} is impossible here; swapped with the longitude it lies ${store}.`;
      }
      case "out-of-country":
        return `${lat}, ${lon} lies outside Malaysia.`;
    }
  },
});
