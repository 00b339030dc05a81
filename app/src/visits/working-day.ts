import { dayIn, isWorking, msFromUtc, sinceLastClose, type CapturedFact } from "@sampai/engine";
import { isKind } from "./visit-history.ts";

/** Where the person stands in the working day. Location is taken only while `working`. */
export interface WorkingDay {
  readonly working: boolean;
  /** RFC 3339 UTC of today's last start and end. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Whether today was closed and nothing was captured since. */
  readonly closed: boolean;
  /** How many events and photos were captured since the last close: what a close of the day declares. */
  readonly events: number;
  readonly photos: number;
}

/** `today` is `YYYY-MM-DD` in `zone`. A day that somebody forgot to end is over with it, as the engine sees it too. */
export function workingDay(facts: readonly CapturedFact[], today: string, zone: string): WorkingDay {
  const ofToday = facts.filter(({ envelope }) => dayIn(msFromUtc(envelope.at), zone) === today);
  const working = isWorking(facts, today, zone);
  const start = ofToday.findLast((fact) => isKind(fact, "attendanceStarted"));
  const end = ofToday.findLast((fact) => isKind(fact, "attendanceEnded"));
  const { events, photos } = sinceLastClose(facts);
  return {
    working,
    startedAt: start?.envelope.at ?? null,
    endedAt: working ? null : (end?.envelope.at ?? null),
    closed: events === 0 && ofToday.some((fact) => isKind(fact, "dayClosed")),
    events,
    photos,
  };
}
