import { dayIn, distanceMeters, utcFromMs } from "@sampai/engine/core";
import { defineDetector } from "./detector.ts";
import type { StorePlace } from "./observation.ts";
import { durationWords } from "./words.ts";

interface OpenVisit {
  readonly visit: string;
  readonly store: string | null;
  readonly place: StorePlace | null;
  readonly device: string;
  readonly ms: number;
  /** A check-in elsewhere while this visit was open: flagged only when this visit goes on after it. */
  readonly elsewhere: {
    readonly hash: string;
    readonly id: string;
    readonly store: string | null;
    readonly ms: number;
  } | null;
}

interface State {
  readonly open: readonly OpenVisit[];
  readonly closed: readonly { readonly visit: string; readonly ms: number }[];
  readonly leaves: readonly { readonly from: string; readonly to: string; readonly id: string }[];
}

type Evidence =
  | { readonly cause: "check-out-without-check-in"; readonly visit: string; readonly at: string }
  | { readonly cause: "after-check-out"; readonly visit: string; readonly at: string; readonly closedAt: string }
  | {
      readonly cause: "two-visits-at-once";
      readonly visit: string;
      readonly store: string | null;
      readonly elsewhere: string;
      readonly elsewhereStore: string | null;
      readonly at: string;
      readonly goesOnAt: string;
    }
  | { readonly cause: "store-closed"; readonly store: string; readonly at: string }
  | { readonly cause: "on-leave"; readonly from: string; readonly to: string; readonly leave: string };

const ELSEWHERE_METERS = 800;
/** Facts of one visit are captured within a breath of each other: a photo just after the check-out is no contradiction. */
const GRACE_MS = 10 * 60_000;

/** Two facts of one person that cannot both be true. */
export const contradictions = defineDetector<State, Evidence>({
  name: "contradictions",
  version: 1,
  subject: "rep",
  consequence: "hold-proof",
  start: () => ({ open: [], closed: [], leaves: [] }),
  step: (state, seen, { zone }) => {
    const { fact, visit, ms } = seen;
    if (fact === null) return { state };
    const at = utcFromMs(ms);
    if (fact.kind === "leaveTaken") {
      const leave = { from: fact.body.from, to: fact.body.to, id: seen.id };
      return { state: { ...state, leaves: [...state.leaves, leave].slice(-60) } };
    }
    if (visit === null) return { state };
    const day = dayIn(ms, zone);
    if (fact.kind === "checkIn") {
      const leave = state.leaves.find(({ from, to }) => from <= day && day <= to);
      const findings =
        leave === undefined
          ? []
          : [
              {
                event: seen,
                evidence: { cause: "on-leave" as const, from: leave.from, to: leave.to, leave: leave.id },
                consequence: "annotate" as const,
              },
            ];
      const here = { visit, store: seen.store, place: seen.record, device: seen.device, ms, elsewhere: null };
      const open = state.open
        .filter((other) => dayIn(other.ms, zone) === day)
        .map((other) =>
          other.elsewhere === null && liesElsewhere(other, here)
            ? { ...other, elsewhere: { hash: seen.hash, id: seen.id, store: seen.store, ms } }
            : other,
        );
      return { state: { ...state, open: [...open, here].slice(-20) }, findings };
    }
    const current = state.open.find((other) => other.visit === visit);
    if (fact.kind === "checkOut") {
      const closed = [...state.closed, { visit, ms }].slice(-60);
      const next = { ...state, open: state.open.filter((other) => other.visit !== visit), closed };
      // A check-out that comes late was forgotten: the visit did not go on.
      if (current !== undefined) return { state: next };
      if (state.closed.some((other) => other.visit === visit)) return { state: next };
      return {
        state: next,
        findings: [{ event: seen, evidence: { cause: "check-out-without-check-in", visit, at } }],
      };
    }
    if (current === undefined) {
      const closed = state.closed.find((other) => other.visit === visit);
      if (closed === undefined || ms - closed.ms <= GRACE_MS) return { state };
      const evidence = { cause: "after-check-out" as const, visit, at, closedAt: utcFromMs(closed.ms) };
      return { state, findings: [{ event: seen, evidence, consequence: "annotate" }] };
    }
    const findings = goesOn(current, at);
    const open = state.open.map((other) => (other === current ? { ...other, elsewhere: null } : other));
    const isClosed = fact.kind === "orderPlaced" && seen.record?.status === "closed" && seen.store !== null;
    return {
      state: { ...state, open },
      findings: isClosed
        ? [
            ...findings,
            {
              event: seen,
              evidence: { cause: "store-closed", store: seen.store ?? "", at },
              consequence: "annotate",
            },
          ]
        : findings,
    };
  },
  sentence: (evidence) => {
    switch (evidence.cause) {
      case "check-out-without-check-in":
        return `Check-out at ${evidence.at} of visit ${evidence.visit}, which has no check-in before it.`;
      case "after-check-out":
        return `Captured at ${evidence.at}, ${durationWords(Date.parse(evidence.at) - Date.parse(evidence.closedAt))} after this visit was checked out at ${evidence.closedAt}.`;
      case "two-visits-at-once":
        return `Checked in at ${evidence.elsewhereStore ?? "another store"} at ${evidence.at} while visit ${evidence.visit} at ${evidence.store ?? "a store"} was open and went on at ${evidence.goesOnAt}.`;
      case "store-closed":
        return `Order at ${evidence.at} from ${evidence.store}, whose record says that it is closed.`;
      case "on-leave":
        return `Visits on a day of leave (${evidence.from} to ${evidence.to}, leave ${evidence.leave}).`;
    }
  },
});

function liesElsewhere(a: OpenVisit, b: OpenVisit): boolean {
  if (a.store === b.store || a.place === null || b.place === null) return false;
  const sure = a.place.uncertaintyMeters + b.place.uncertaintyMeters;
  return distanceMeters(a.place, b.place) - sure > ELSEWHERE_METERS;
}

/** The visit goes on although its person has checked in elsewhere: that check-in is what cannot be true. */
function goesOn(visit: OpenVisit, at: string) {
  const { elsewhere } = visit;
  if (elsewhere === null) return [];
  const evidence: Evidence = {
    cause: "two-visits-at-once",
    visit: visit.visit,
    store: visit.store,
    elsewhere: elsewhere.id,
    elsewhereStore: elsewhere.store,
    at: utcFromMs(elsewhere.ms),
    goesOnAt: at,
  };
  return [{ event: { hash: elsewhere.hash, id: elsewhere.id }, evidence }];
}
