import { distanceMeters } from "@sampai/engine/core";
import { defineDetector } from "./detector.ts";
import { isTrusted } from "./trust.ts";
import { distanceWords } from "./words.ts";

interface Point {
  readonly lat: number;
  readonly lon: number;
}

interface Miss extends Point {
  readonly hash: string;
  readonly id: string;
  readonly visit: string;
  readonly accuracy: number;
  readonly meters: number;
  readonly fenceMeters: number;
}

interface State {
  /** Where visits have shown the store to be; null until one agreed with the record or two with each other. */
  readonly centre: (Point & { readonly visits: number }) | null;
  /** Misses at a store that no visit has confirmed yet: the record may be what is wrong. */
  readonly pending: readonly Miss[];
  /** Visits that had their say, newest last. */
  readonly visits: readonly string[];
}

type Evidence =
  | {
      readonly cause: "outside";
      readonly meters: number;
      readonly fenceMeters: number;
      readonly confirmedVisits: number;
    }
  | { readonly cause: "store-record"; readonly meters: number; readonly visits: number };

const FENCE_METERS = 150;
const ACCURACY_WEIGHT = 4;
const ACCURACY_CAP_METERS = 150;
const PENDING = 6;
const LEARN_LIMIT = 30;

/**
 * A visit outside its store's fence. The centre is learnt from visits that agree; 2–5 % of store masters are wrong, so a
 * miss at a store that was never confirmed waits: a second visit that agrees with it moves the centre and asks for the
 * record to be corrected, one that disagrees shows that the first was elsewhere after all.
 */
export const geofence = defineDetector<State, Evidence>({
  name: "geofence",
  version: 1,
  subject: "store",
  consequence: "annotate",
  start: () => ({ centre: null, pending: [], visits: [] }),
  step: (state, seen) => {
    const { fix, visit, record } = seen;
    if (!isTrusted(fix) || visit === null || state.visits.includes(visit)) return { state };
    const visits = [...state.visits, visit].slice(-50);
    const fenceMeters = FENCE_METERS + ACCURACY_WEIGHT * Math.min(fix.accuracy, ACCURACY_CAP_METERS);
    if (state.centre !== null) {
      const meters = distanceMeters(fix, state.centre);
      if (meters <= fenceMeters) return { state: { centre: learn(state.centre, fix), pending: [], visits } };
      const evidence = { cause: "outside" as const, meters, fenceMeters, confirmedVisits: state.centre.visits };
      return { state: { ...state, visits }, findings: [{ event: seen, evidence }] };
    }
    if (record === null) return { state: { ...state, visits } };
    const recordFence = fenceMeters + record.uncertaintyMeters;
    const meters = distanceMeters(fix, record);
    if (meters <= recordFence) {
      // The store is where its record says: whoever was elsewhere before was elsewhere.
      const findings = state.pending.map((miss) => ({ event: miss, evidence: outside(miss, 1) }));
      return { state: { centre: { lat: fix.lat, lon: fix.lon, visits: 1 }, pending: [], visits }, findings };
    }
    const miss: Miss = {
      lat: fix.lat,
      lon: fix.lon,
      hash: seen.hash,
      id: seen.id,
      visit,
      accuracy: fix.accuracy,
      meters,
      fenceMeters: recordFence,
    };
    const agreeing = state.pending.find((other) => distanceMeters(other, miss) <= fenceMeters);
    if (agreeing === undefined) {
      return { state: { centre: null, pending: [...state.pending, miss].slice(-PENDING), visits } };
    }
    const others = state.pending.filter((other) => other !== agreeing && distanceMeters(other, miss) > fenceMeters);
    const centre = { lat: (agreeing.lat + miss.lat) / 2, lon: (agreeing.lon + miss.lon) / 2, visits: 2 };
    return {
      state: { centre, pending: [], visits },
      findings: [
        { event: seen, evidence: { cause: "store-record", meters, visits: 2 }, consequence: "annotate" },
        ...others.map((other) => ({ event: other, evidence: outside(other, 2) })),
      ],
    };
  },
  sentence: (evidence) =>
    evidence.cause === "outside"
      ? `${distanceWords(evidence.meters)} from the store, outside its ${distanceWords(evidence.fenceMeters)} fence; ${evidence.confirmedVisits} other visits agree where it is.`
      : `${evidence.visits} visits agree on a place ${distanceWords(evidence.meters)} from the store record: the record looks wrong.`,
});

function outside({ meters, fenceMeters }: Miss, confirmedVisits: number): Evidence {
  return { cause: "outside", meters, fenceMeters, confirmedVisits };
}

function learn(centre: Point & { readonly visits: number }, fix: Point) {
  const visits = Math.min(centre.visits + 1, LEARN_LIMIT);
  const share = 1 / visits;
  return {
    lat: centre.lat + (fix.lat - centre.lat) * share,
    lon: centre.lon + (fix.lon - centre.lon) * share,
    visits,
  };
}
