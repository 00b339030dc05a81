import { admit, type AdmissionState, type PlacedCandidate } from "../../src/order-log/admit.ts";

export interface MemoryLeaf {
  readonly hash: string;
  readonly hole: boolean;
  readonly flags: readonly string[];
}

/** Admission over plain maps: what the rules do without a database. */
export function createMemoryState() {
  const log: MemoryLeaf[] = [];
  const placed = new Map<string, number>();
  const holes = new Map<string, boolean>();
  const held = new Map<string, { event: PlacedCandidate; want: string }>();
  const quarantined = new Map<string, PlacedCandidate>();
  const at = new Map<string, Set<string>>();
  const place = ({ run, seq }: PlacedCandidate) => `${run} ${seq}`;
  const state: AdmissionState = {
    positionOf: (hash) => placed.get(hash),
    isHole: (hash) => holes.get(hash) === true,
    isHeld: (hash) => held.has(hash),
    hasOther: (event) => [...(at.get(place(event)) ?? [])].some((hash) => hash !== event.hash),
    place: (event, flags) => {
      const position = log.push({ hash: event.hash, hole: false, flags }) - 1;
      placed.set(event.hash, position);
      at.set(place(event), (at.get(place(event)) ?? new Set()).add(event.hash));
      return position;
    },
    fillHole: (hash) => holes.set(hash, false),
    hold: (event, want) => held.set(event.hash, { event, want }),
    takeHeldOn: (want) => {
      const free = [...held.values()].filter((entry) => entry.want === want).map(({ event }) => event);
      for (const { hash } of free) held.delete(hash);
      return free;
    },
    quarantine: (event) => quarantined.set(event.hash, event),
    placeHole: ({ hash }) => {
      holes.set(hash, true);
      log.push({ hash, hole: true, flags: [] });
    },
  };
  const rejudge = () => {
    const events = [...quarantined.values()];
    quarantined.clear();
    for (const event of events) admit(state, event, false);
  };
  return { state, log, held, rejudge };
}
