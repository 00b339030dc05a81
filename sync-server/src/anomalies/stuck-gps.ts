import { distanceMeters } from "@sampai/engine/core";
import { defineDetector } from "./detector.ts";
import type { Fix, StorePlace } from "./observation.ts";
import { inCountry } from "./trust.ts";

interface State {
  /** The fix that has not moved since. */
  readonly fix: Fix | null;
  /** Stores, by code, at which it was sent, with their places. */
  readonly stores: readonly { readonly code: string; readonly at: StorePlace }[];
}

interface Evidence {
  readonly lat: number;
  readonly lon: number;
  readonly stores: readonly string[];
  readonly metersApart: number;
}

/** Two stores of one mall share a fix honestly. */
const APART_METERS = 150;

/** The same fix, to the last bit, at stores that lie apart. It goes on until the fix moves. */
export const stuckGps = defineDetector<State, Evidence>({
  name: "stuck-gps",
  version: 1,
  subject: "rep",
  consequence: "hold-proof",
  start: () => ({ fix: null, stores: [] }),
  step: (state, seen) => {
    const { fix, store, record } = seen;
    if (fix === null || fix.mock || !inCountry(fix) || store === null || record === null) return { state };
    const same =
      state.fix !== null &&
      state.fix.lat === fix.lat &&
      state.fix.lon === fix.lon &&
      state.fix.accuracy === fix.accuracy;
    if (!same) return { state: { fix, stores: [{ code: store, at: record }] } };
    const known = state.stores.some(({ code }) => code === store);
    const stores = known ? state.stores : [...state.stores, { code: store, at: record }].slice(-20);
    const first = stores[0]?.at ?? record;
    const metersApart = Math.max(...stores.map(({ at }) => distanceMeters(at, first) - at.uncertaintyMeters));
    const next = { fix, stores };
    // At the first of the stores the fix may be true: only from the second on it cannot be.
    if (metersApart <= APART_METERS + first.uncertaintyMeters || store === stores[0]?.code) return { state: next };
    const evidence = { lat: fix.lat, lon: fix.lon, stores: stores.map(({ code }) => code), metersApart };
    return { state: next, findings: [{ event: seen, evidence }] };
  },
  sentence: ({ stores, metersApart }) =>
    `The same fix was sent from ${stores.length} stores up to ${Math.round(metersApart)} m apart (${stores.join(", ")}): the sensor has not moved.`,
});
