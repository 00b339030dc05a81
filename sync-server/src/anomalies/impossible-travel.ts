import { distanceMeters } from "@sampai/engine/core";
import { defineDetector } from "./detector.ts";
import type { Fix, Observation } from "./observation.ts";
import { isTrusted } from "./trust.ts";
import { distanceWords, durationWords } from "./words.ts";

interface Leg extends Fix {
  readonly hash: string;
  readonly id: string;
  readonly ms: number;
  readonly store: string | null;
}

interface State {
  /** The last fix that later ones are judged by. */
  readonly last: Leg | null;
  /** Whether another fix agreed with it. */
  readonly confirmed: boolean;
  /** A fix that was flagged because it does not agree with `last`. */
  readonly suspect: Leg | null;
}

interface Evidence {
  readonly meters: number;
  readonly ms: number;
  readonly from: string | null;
}

const GAP_METERS = 2_500;
const ACCURACY_WEIGHT = 2.5;
const ROAD_METERS_PER_SECOND = 48;
/** A flight: far, long enough to board and land, and no faster than an airliner. */
const FLIGHT = { meters: 150_000, ms: 40 * 60_000, metersPerSecond: 240 } as const;

/**
 * From one place to the next faster than anyone drives. The fix that does not fit is flagged and not believed. Where it
 * turns out that the *first* of the two was alone in its place, the finding moves to that one.
 */
export const impossibleTravel = defineDetector<State, Evidence>({
  name: "impossible-travel",
  version: 1,
  subject: "rep",
  consequence: "hold-proof",
  start: () => ({ last: null, confirmed: false, suspect: null }),
  step: (state, seen) => {
    if (!isTrusted(seen.fix)) return { state };
    const leg = legOf(seen, seen.fix);
    const { last, suspect } = state;
    if (last === null) return { state: { last: leg, confirmed: false, suspect: null } };
    if (isPossible(last, leg)) {
      // Far apart and long ago says nothing about either; close together each confirms the other.
      const confirmed = distanceMeters(last, leg) < GAP_METERS || state.confirmed;
      return { state: { last: leg, confirmed, suspect: null } };
    }
    if (!state.confirmed && suspect !== null && isPossible(suspect, leg)) {
      return {
        state: { last: leg, confirmed: true, suspect: null },
        withdraw: [suspect.hash],
        findings: [{ event: last, evidence: evidenceOf(suspect, last) }],
      };
    }
    return { state: { ...state, suspect: leg }, findings: [{ event: seen, evidence: evidenceOf(last, leg) }] };
  },
  sentence: ({ meters, ms, from }) =>
    `${distanceWords(meters)} in ${durationWords(ms)} (${Math.round((meters / Math.max(Math.abs(ms) / 1_000, 1)) * 3.6)} km/h) from ${from ?? "the last place"}: nobody travels so fast.`,
});

function legOf({ hash, id, ms, store }: Observation, fix: Fix): Leg {
  return { ...fix, hash, id, ms, store };
}

function evidenceOf(from: Leg, to: Leg): Evidence {
  return { meters: distanceMeters(from, to), ms: Math.abs(to.ms - from.ms), from: from.store };
}

function isPossible(from: Leg, to: Leg): boolean {
  const meters = distanceMeters(from, to) - ACCURACY_WEIGHT * (from.accuracy + to.accuracy);
  if (meters <= GAP_METERS) return true;
  const ms = Math.abs(to.ms - from.ms);
  const metersPerSecond = meters / Math.max(ms / 1_000, 1);
  if (metersPerSecond <= ROAD_METERS_PER_SECOND) return true;
  return meters > FLIGHT.meters && ms > FLIGHT.ms && metersPerSecond < FLIGHT.metersPerSecond;
}
