import { dayIn, type Scalar } from "@sampai/engine";
import type { Visit } from "./visit-history.ts";

/** One store that the plan names for a day, in the plan's order. */
export interface Stop {
  /** `R012/2026-W48/2026-11-23/1`: what the check-in states as its plan. */
  readonly plan: string;
  readonly number: number;
  readonly store: string;
  readonly note: string;
  readonly state: "planned" | "skipped" | "here-now" | "visited";
  readonly visit: Visit | null;
}

/** Key of the journey plan: rep and ISO 8601 week (weeks start on Monday; week 1 holds the first Thursday). */
export function planKey(rep: string, nowMs: number, zone: string): string {
  const [year, month, day] = dayIn(nowMs, zone).split("-").map(Number) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  const weekday = date.getUTCDay() || 7;
  date.setUTCDate(date.getUTCDate() + 4 - weekday);
  const weekYear = date.getUTCFullYear();
  const week = Math.ceil(((date.getTime() - Date.UTC(weekYear, 0, 1)) / 86_400_000 + 1) / 7);
  return `${rep}/${weekYear}-W${String(week).padStart(2, "0")}`;
}

function column(value: Readonly<Record<string, unknown>>, field: string): Readonly<Record<string, Scalar>> {
  const found = value[field];
  return typeof found === "object" && found !== null ? (found as Record<string, Scalar>) : {};
}

/** The stops of `day` (`YYYY-MM-DD`), with what this phone knows of each. A visit here outranks the plan's own status. */
export function stopsOf(
  key: string,
  value: Readonly<Record<string, unknown>>,
  day: string,
  visits: readonly Visit[],
): readonly Stop[] {
  const status = column(value, "stopStatus");
  const notes = column(value, "stopNote");
  return Object.entries(column(value, "stopStore"))
    .filter(([row, store]) => row.startsWith(`${day}/`) && typeof store === "string")
    .map(([row, store]) => {
      const plan = `${key}/${row}`;
      const visit = visits.findLast((each) => each.plan === plan) ?? null;
      return {
        plan,
        number: Number(row.slice(day.length + 1)),
        store: String(store),
        note: String(notes[row] ?? ""),
        state: stopState(visit, status[row]),
        visit,
      };
    })
    .sort((a, b) => a.number - b.number);
}

function stopState(visit: Visit | null, status: Scalar | undefined): Stop["state"] {
  if (visit !== null) {
    if (visit.checkedOutAt === null) return "here-now";
    return visit.outcome === "skipped" ? "skipped" : "visited";
  }
  return status === "visited" || status === "skipped" ? status : "planned";
}

/** The plan document and its row that a check-in's `plan` names, or null where it names none. */
export function planStop(plan: string): { readonly key: string; readonly row: string } | null {
  const [rep, week, day, number] = plan.split("/");
  if (rep === undefined || week === undefined || day === undefined || number === undefined) return null;
  return { key: `${rep}/${week}`, row: `${day}/${number}` };
}
