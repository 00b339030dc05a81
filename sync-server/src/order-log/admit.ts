/**
 * Where an event goes: place comes from its signature and chain, never from its content. Pure: what is known is asked
 * through `AdmissionState`, what shall happen is said to it, and the rules are on this one page.
 */
export interface AdmissionState {
  positionOf(hash: string): number | undefined;
  isHole(hash: string): boolean;
  isHeld(hash: string): boolean;
  /** Whether another event of the same device sits at (run, seq). */
  hasOther(event: PlacedCandidate): boolean;
  /** Appends and answers the position. */
  place(event: PlacedCandidate, flags: readonly ("late" | "branch")[]): number;
  fillHole(hash: string): void;
  hold(event: PlacedCandidate, want: string): void;
  /** Takes out and answers every event held because it waits for `hash`. */
  takeHeldOn(hash: string): readonly PlacedCandidate[];
  quarantine(event: PlacedCandidate, code: QuarantineCode): void;
  /** Appends a hole leaf. */
  placeHole(hole: { run: string; seq: number; hash: string }): void;
}

export interface PlacedCandidate {
  readonly run: string;
  readonly seq: number;
  /** Hash of the event it follows, null for the first event of a device's first run. */
  readonly prev: string | null;
  readonly hash: string;
  readonly bytes: Uint8Array;
  /** The signature of the batch that ended with this event; it covers the chain before it too. Absent or null within a batch. */
  readonly signature?: Uint8Array | null;
}

export type QuarantineCode = "auth.revoked" | "batch.signature" | "auth.unknown";

export type AdmissionAnswer =
  | { readonly hash: string; readonly answer: "placed" | "duplicate" | "branch"; readonly position: number }
  | { readonly hash: string; readonly answer: "held"; readonly want: string }
  | { readonly hash: string; readonly answer: "quarantined"; readonly code: QuarantineCode };

/** Admits one event of a batch whose signature and chain were verified. */
export function admit(state: AdmissionState, event: PlacedCandidate, revoked: boolean): AdmissionAnswer {
  const { hash } = event;
  const known = state.positionOf(hash);
  // Tested before revocation: what was placed stays placed, and the phone may stop sending it.
  if (known !== undefined) return { hash, answer: "duplicate", position: known };
  if (revoked) {
    state.quarantine(event, "auth.revoked");
    return { hash, answer: "quarantined", code: "auth.revoked" };
  }
  if (!ready(state, event)) {
    const want = event.prev as string;
    if (!state.isHeld(hash)) state.hold(event, want);
    return { hash, answer: "held", want };
  }
  return placeAndRelease(state, event);
}

/** Closes a gap that the device declares it cannot fill. Idempotent; ignored for what is here or declared already. */
export function admitHole(state: AdmissionState, hole: { run: string; seq: number; hash: string }): void {
  if (state.positionOf(hole.hash) !== undefined || state.isHeld(hole.hash) || state.isHole(hole.hash)) return;
  state.placeHole(hole);
  release(state, hole.hash);
}

function ready(state: AdmissionState, event: PlacedCandidate): boolean {
  return event.prev === null || state.positionOf(event.prev) !== undefined || state.isHole(event.prev);
}

function placeAndRelease(state: AdmissionState, event: PlacedCandidate): AdmissionAnswer {
  const branch = state.hasOther(event);
  const late = state.isHole(event.hash);
  const flags = [...(late ? ["late" as const] : []), ...(branch ? ["branch" as const] : [])];
  const position = state.place(event, flags);
  if (late) state.fillHole(event.hash);
  release(state, event.hash);
  return { hash: event.hash, answer: branch ? "branch" : "placed", position };
}

// A loop, not recursion: a phone may have held ten thousand events behind one gap.
function release(state: AdmissionState, hash: string): void {
  const free = [hash];
  for (let next = free.shift(); next !== undefined; next = free.shift()) {
    for (const event of state.takeHeldOn(next)) {
      const flags = state.hasOther(event) ? (["branch"] as const) : [];
      state.place(event, state.isHole(event.hash) ? ["late", ...flags] : flags);
      if (state.isHole(event.hash)) state.fillHole(event.hash);
      free.push(event.hash);
    }
  }
}
