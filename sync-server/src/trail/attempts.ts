import type { DatabaseSync } from "node:sqlite";

/** One try of a phone to send something, as its own log has it: the side of the story that the relay cannot see. */
export interface PhoneAttempt {
  readonly device: string;
  readonly number: number;
  /** RFC 3339 UTC, the phone's clock. */
  readonly at: string;
  readonly lane: "link" | "facts" | "documents" | "photos";
  readonly bytes: number;
  readonly outcome: "acknowledged" | "refused" | "lost" | "opened" | "failed";
  readonly code: string | null;
  readonly tookMs: number;
}

const columns = "device, number, at, lane, bytes, outcome, code, took_ms as tookMs";
const MOST = 1_000;

/** Tries that carried this event. */
export function attemptsOfEvent(relay: DatabaseSync, device: string, run: string, seq: number): PhoneAttempt[] {
  return relay
    .prepare(
      `select ${columns} from phone_attempt
        where device = ?1 and lane = 'facts' and run = ?2 and from_seq <= ?3 and to_seq >= ?3 order by number limit ?4`,
    )
    .all(device, run, seq, MOST) as unknown as PhoneAttempt[];
}

/** Tries that carried this document or photo. */
export function attemptsOfItem(relay: DatabaseSync, item: string): PhoneAttempt[] {
  return relay
    .prepare(`select ${columns} from phone_attempt where item = ? order by device, number limit ?`)
    .all(item, MOST) as unknown as PhoneAttempt[];
}

/** Tries to open a link at all between two moments (RFC 3339 UTC): why nothing could be sent. */
export function linkAttempts(relay: DatabaseSync, device: string, from: string, to: string): PhoneAttempt[] {
  return relay
    .prepare(
      `select ${columns} from phone_attempt
        where device = ? and lane = 'link' and at >= ? and at <= ? order by number limit ?`,
    )
    .all(device, from, to, MOST) as unknown as PhoneAttempt[];
}
