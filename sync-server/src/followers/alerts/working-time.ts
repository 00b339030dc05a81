import { dayIn, offsetMinutes } from "@sampai/engine/core";

/** Hours at which field work is expected, in the workspace's zone. A day without planned stops expects none. */
export const workingHours = { startMinute: 8 * 60, endMinute: 18 * 60 } as const;

const DAY_MS = 86_400_000;

/** The start of the working day that a moment falls on, in milliseconds since 1970. */
export function workStartMs(ms: number, zone: string): number {
  const offsetMs = offsetMinutes(ms, zone) * 60_000;
  return Math.floor((ms + offsetMs) / DAY_MS) * DAY_MS - offsetMs + workingHours.startMinute * 60_000;
}

/** Milliseconds of working time between two moments: Sundays and holidays (`YYYY-MM-DD`) hold none. At most 60 days back. */
export function workedMs(fromMs: number, toMs: number, zone: string, holidays: ReadonlySet<string>): number {
  let total = 0;
  const length = (workingHours.endMinute - workingHours.startMinute) * 60_000;
  for (let ms = Math.max(fromMs, toMs - 60 * DAY_MS); ms < toMs + DAY_MS; ms += DAY_MS) {
    const startMs = workStartMs(ms, zone);
    const day = dayIn(startMs, zone);
    if (holidays.has(day) || new Date(`${day}T00:00:00Z`).getUTCDay() === 0) continue;
    total += Math.max(0, Math.min(toMs, startMs + length) - Math.max(fromMs, startMs));
  }
  return total;
}

/** One working day's length in milliseconds. */
export const WORKING_DAY_MS = (workingHours.endMinute - workingHours.startMinute) * 60_000;
