import { dayIn, msFromUtc, type CapturedFact } from "@sampai/engine";
import { isKind } from "./visit-history.ts";

/** Where the person stands in the working day. Location is taken only while `working`. */
export interface WorkingDay {
  readonly working: boolean;
  /** RFC 3339 UTC of the start that is not ended yet, or of today's last one. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly closed: boolean;
  /** How many events and photos were captured since the last close: what a close of the day declares. */
  readonly events: number;
  readonly photos: number;
}

export function workingDay(facts: readonly CapturedFact[], nowMs: number, zone: string): WorkingDay {
  const today = dayIn(nowMs, zone);
  const isToday = (fact: CapturedFact) => dayIn(msFromUtc(fact.envelope.at), zone) === today;
  const start = facts.findLast((fact) => isKind(fact, "attendanceStarted"));
  const end = facts.findLast((fact) => isKind(fact, "attendanceEnded"));
  const after = (later: CapturedFact | undefined, earlier: CapturedFact | undefined) =>
    later !== undefined && (earlier === undefined || facts.indexOf(later) > facts.indexOf(earlier));
  const working = after(start, end);
  const close = facts.findLast((fact) => isKind(fact, "dayClosed"));
  const since = close === undefined ? facts : facts.slice(facts.indexOf(close) + 1);
  return {
    working,
    startedAt: start !== undefined && (working || isToday(start)) ? start.envelope.at : null,
    endedAt: !working && end !== undefined && isToday(end) ? end.envelope.at : null,
    closed: close !== undefined && isToday(close) && !after(start, close),
    events: since.length,
    photos: since.filter((fact) => isKind(fact, "photoCaptured")).length,
  };
}
