const DAY_MS = 86_400_000;

/** Monday of an ISO 8601 week (`2026-W48`) in milliseconds since 1970, read as UTC; undefined where the year has no such week. */
function mondayOf(week: string): number | undefined {
  const match = /^(\d{4})-W(\d{2})$/.exec(week);
  if (match === null) return undefined;
  // The week with 4 January in it is the first one.
  const fourth = Date.UTC(Number(match[1]), 0, 4);
  const weekday = new Date(fourth).getUTCDay() || 7;
  const monday = fourth + (1 - weekday + (Number(match[2]) - 1) * 7) * DAY_MS;
  return weekOf(new Date(monday).toISOString().slice(0, 10)) === week ? monday : undefined;
}

/** The ISO 8601 week (`2026-W48`) of a calendar day (`YYYY-MM-DD`). */
export function weekOf(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`);
  const weekday = new Date(at).getUTCDay() || 7;
  // The year of a week is the year of its Thursday.
  const thursday = at + (4 - weekday) * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const number = Math.floor((thursday - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(number).padStart(2, "0")}`;
}

/** The calendar day of a week's weekday (1 is Monday), or undefined where there is no such week. */
export function dayOfWeek(week: string, weekday: number): string | undefined {
  const monday = mondayOf(week);
  if (monday === undefined) return undefined;
  return new Date(monday + (weekday - 1) * DAY_MS).toISOString().slice(0, 10);
}

/** A week as a plan names it: itself, or `+n` weeks after `base`. */
export function resolveWeek(week: string, base: string): string | undefined {
  if (!week.startsWith("+")) return mondayOf(week) === undefined ? undefined : week;
  const monday = mondayOf(base);
  if (monday === undefined) return undefined;
  return weekOf(new Date(monday + Number(week.slice(1)) * 7 * DAY_MS).toISOString().slice(0, 10));
}
