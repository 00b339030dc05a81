import { dayIn, msFromUtc } from "../core/clock.ts";
import type { CapturedFact } from "./facts.ts";
import { eventKinds } from "./kinds/index.ts";

/**
 * Visits that were begun on this day (`YYYY-MM-DD` in `zone`) and not ended, by id. One that somebody forgot to end is
 * over with its day.
 */
export function openVisits(facts: readonly CapturedFact[], day: string, zone: string): readonly string[] {
  const open = new Set<string>();
  for (const { envelope } of facts) {
    const { kind, id, visit, at } = envelope;
    if (kind === eventKinds.checkIn.name && dayIn(msFromUtc(at), zone) === day) open.add(id);
    else if (kind === eventKinds.checkOut.name && visit !== null) open.delete(visit);
  }
  return [...open];
}
