import { dayIn } from "@sampai/engine/core";
import type { EventTime } from "../order-log/event-time.ts";

/** A day may be closed this long after it was over: leave, a lost phone, a week without signal. */
const LATEST_CLOSE_MS = 31 * 86_400_000;

/**
 * Under which day a close is filed: the one that it names, where that can be. A phone whose clock says 1970 or 2031 names
 * a day that had not begun, or was long over; such a close is filed under the day on which it can have been made.
 */
export function filedDay(named: string, time: EventTime, zone: string): string {
  // Of a close whose moment nothing tells, the name is all there is.
  if (Number.isNaN(time.latestMs) || Number.isNaN(time.bestMs)) return named;
  if (named > dayIn(time.latestMs, zone)) return dayIn(time.bestMs, zone);
  const isFloorKnown = Number.isFinite(time.earliestMs);
  return isFloorKnown && named < dayIn(time.earliestMs - LATEST_CLOSE_MS, zone) ? dayIn(time.bestMs, zone) : named;
}
