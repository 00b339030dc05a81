import { dayIn, msFromUtc } from "../core/clock.ts";
import type { Envelope, Place } from "./event.ts";
import { eventKinds } from "./kinds/index.ts";

const { attendanceStarted, attendanceEnded } = eventKinds;

/**
 * Whether this device's working day was begun on `day` (`YYYY-MM-DD` in `zone`) and not ended. One that somebody forgot
 * to end is over with its day.
 */
export function isWorking(
  events: readonly { readonly envelope: Envelope | null }[],
  day: string,
  zone: string,
): boolean {
  let last: Envelope | null = null;
  for (const { envelope } of events) {
    if (envelope?.kind !== attendanceStarted.name && envelope?.kind !== attendanceEnded.name) continue;
    // By time, not by row: what the relay gave back stands behind what was captured since.
    if ((last === null || envelope.at >= last.at) && dayIn(msFromUtc(envelope.at), zone) === day) last = envelope;
  }
  return last?.kind === attendanceStarted.name;
}

/**
 * Location is taken only between the start and the end of attendance, both included: outside it a fix is left out, and
 * the event says why it has none.
 */
export function placeWithin(kind: string, place: Place | null, working: boolean): Place | null {
  if (place === null || "missing" in place || working || kind === attendanceStarted.name) return place;
  return { missing: "outside-working-day" };
}
