import { dayIn, offsetMinutes } from "@sampai/engine/core";
import { defineDetector } from "./detector.ts";
import { durationWords } from "./words.ts";

interface State {
  /** The largest delay of each captured day in milliseconds, oldest first, the day in progress last. */
  readonly days: readonly { readonly day: string; readonly worstMs: number }[];
  readonly flaggedDay: string | null;
}

interface Evidence {
  readonly delayMs: number;
  /** Worst of the days before, 0 where there is none. */
  readonly usualMs: number;
  readonly days: number;
}

const DAY_MS = 86_400_000;
const BASELINE_DAYS = 15;
const STRETCH = 1.6;

/**
 * Facts that took much longer than this person's usually do. Everyone is measured by their own fortnight: whoever syncs
 * once a day at home is no exception every day. Sundays and holidays do not count. Flagged once a captured day.
 */
export const syncDelay = defineDetector<State, Evidence>({
  name: "sync-delay",
  version: 1,
  subject: "rep",
  consequence: "annotate",
  start: () => ({ days: [], flaggedDay: null }),
  step: (state, seen, { zone }) => {
    const delayMs = workingDelayMs(seen.ms, seen.receivedMs, seen.holidays, zone);
    if (Number.isNaN(delayMs)) return { state };
    const day = dayIn(seen.ms, zone);
    const before = state.days.filter((other) => other.day !== day).slice(-BASELINE_DAYS);
    const usualMs = Math.max(0, ...before.map(({ worstMs }) => worstMs));
    const allowedMs = Math.max(DAY_MS, STRETCH * usualMs);
    // Fed back clipped: a phone that fails slowly must not teach that failing is usual.
    const today = state.days.find((other) => other.day === day)?.worstMs ?? 0;
    const worstMs = Math.max(today, Math.min(delayMs, allowedMs));
    const days = [...before, { day, worstMs }];
    if (delayMs <= allowedMs || state.flaggedDay === day) return { state: { ...state, days } };
    return {
      state: { days, flaggedDay: day },
      findings: [{ event: seen, evidence: { delayMs, usualMs, days: before.length } }],
    };
  },
  sentence: ({ delayMs, usualMs, days }) =>
    days === 0
      ? `Took ${durationWords(delayMs)} to arrive.`
      : `Took ${durationWords(delayMs)} to arrive; this person's worst in ${days} days was ${durationWords(usualMs)}.`,
});

/** The time between capture and arrival without the Sundays and holidays in it. */
function workingDelayMs(fromMs: number, toMs: number, holidays: readonly string[], zone: string): number {
  let delayMs = Math.max(0, toMs - fromMs);
  if (Number.isNaN(delayMs) || delayMs < DAY_MS / 2) return delayMs;
  const offsetMs = offsetMinutes(fromMs, zone) * 60_000;
  const firstDay = Math.floor((fromMs + offsetMs) / DAY_MS);
  const lastDay = Math.floor((toMs + offsetMs) / DAY_MS);
  for (let day = Math.max(firstDay, lastDay - 40); day <= lastDay; day += 1) {
    const date = new Date(day * DAY_MS);
    const isIdle = date.getUTCDay() === 0 || holidays.includes(date.toISOString().slice(0, 10));
    if (!isIdle) continue;
    const startMs = Math.max(fromMs, day * DAY_MS - offsetMs);
    const endMs = Math.min(toMs, (day + 1) * DAY_MS - offsetMs);
    delayMs -= Math.max(0, endMs - startMs);
  }
  return delayMs;
}
