import type { DatabaseSync } from "node:sqlite";
import { CLOCK_TOLERANCE_MS } from "../anomalies/clock-jump.ts";
import { prepared } from "./prepared.ts";

interface Timed {
  readonly position: number;
  /** As it stands now, in milliseconds since 1970. */
  readonly ms: number;
  readonly sent_ms: number;
  readonly tick: number;
  readonly wall_offset: number;
  readonly anchor_offset: number | null;
}

/**
 * Observations of one boot whose time is not what it should be, with the right one in milliseconds since 1970. Within a
 * boot the tick cannot be set, so time is tick plus one constant: what the relay said where it was heard in this boot,
 * else what the middle one of the wall readings says. A time that agrees with it within two minutes stays as it was sent.
 */
export function misdated(
  db: DatabaseSync,
  boot: string,
): readonly { readonly position: number; readonly ms: number }[] {
  const rows = prepared(
    db,
    `select observation.position, ms, sent_ms, tick, wall_offset, anchor_offset
       from history join observation on observation.position = history.position where subject = 'boot' and who = ?`,
  ).all(boot) as unknown as Timed[];
  const offsetMs =
    median(rows.flatMap(({ anchor_offset: offset }) => offset ?? [])) ??
    median(rows.map(({ wall_offset: offset }) => offset));
  if (offsetMs === null) return [];
  return rows.flatMap(({ position, ms: was, sent_ms: sentMs, tick }) => {
    const trueMs = tick + offsetMs;
    const ms = Math.abs(sentMs - trueMs) > CLOCK_TOLERANCE_MS ? toInteger(trueMs) : Math.trunc(sentMs);
    return ms === was ? [] : [{ position, ms }];
  });
}

function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? null;
}

/** The nearest whole number that a database takes: a phone may have sent any tick. */
function toInteger(ms: number): number {
  const rounded = Math.trunc(ms + (ms < 0 ? -0.5 : 0.5));
  return Math.min(Math.max(rounded, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}
