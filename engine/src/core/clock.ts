/** PORT. The only source of time and of waiting, so that a simulation can own both. */
export interface Clock {
  /** Wall time in milliseconds since 1970-01-01T00:00:00Z. MAY jump in either direction. */
  wallMs(): number;
  /** Milliseconds since `boot`. MUST never go back while `boot` stays the same. */
  tickMs(): number;
  /** Names the span within which ticks can be compared: a new value each time the tick may have restarted. */
  readonly boot: string;
  /** Runs `run` once after `delayMs`. The answer cancels it; cancelling twice is harmless. */
  after(delayMs: number, run: () => void): () => void;
}

/** A moment at which the relay's time and this device's tick were known together. */
export interface ClockAnchor {
  readonly boot: string;
  readonly tick: number;
  /** RFC 3339 UTC, from the relay. */
  readonly at: string;
}

/** Milliseconds since 1970 → RFC 3339 UTC with `Z` and milliseconds. */
export function utcFromMs(ms: number): string {
  return new Date(ms).toISOString();
}

/** RFC 3339 UTC → milliseconds since 1970, or NaN where the text is no time. */
export function msFromUtc(utc: string): number {
  return Date.parse(utc);
}

/**
 * The best time this device can give: the last relay time plus the ticks since, where both belong to this boot,
 * else the wall clock. In milliseconds since 1970.
 */
export function bestMs(clock: Clock, anchor: ClockAnchor | null): number {
  if (anchor !== null && anchor.boot === clock.boot) {
    return Math.round(msFromUtc(anchor.at) + (clock.tickMs() - anchor.tick));
  }
  return Math.round(clock.wallMs());
}

/** Minutes that local time in `zone` (IANA) is ahead of UTC at that moment. */
export function offsetMinutes(ms: number, zone: string): number {
  const parts = formatsOf(zone).offset.formatToParts(ms);
  const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "GMT";
  const match = /^GMT(?:([+-])(\d{2}):(\d{2}))?$/.exec(name);
  if (match?.[1] === undefined) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === "-" ? -minutes : minutes;
}

/** The calendar day (`YYYY-MM-DD`) that a moment falls on in `zone`. The one place where days are cut. */
export function dayIn(ms: number, zone: string): string {
  return formatsOf(zone).day.format(ms);
}

/** The first moment of a calendar day in `zone`, in milliseconds since 1970, to the minute: also where a clock change skips midnight. */
export function startOfDayMs(day: string, zone: string): number {
  const noonMs = msFromUtc(`${day}T12:00:00Z`);
  // No zone is more than a day away from UTC.
  let before = noonMs - 48 * 3_600_000;
  let within = noonMs + 48 * 3_600_000;
  while (within - before > 60_000) {
    const middle = before + Math.floor((within - before) / 120_000) * 60_000;
    if (dayIn(middle, zone) < day) before = middle;
    else within = middle;
  }
  return within;
}

const formats = new Map<string, { readonly offset: Intl.DateTimeFormat; readonly day: Intl.DateTimeFormat }>();

/** Kept, because making one costs a hundred times what using it does. */
function formatsOf(zone: string) {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = {
    offset: new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }),
    day: new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }),
  };
  if (formats.size < 100) formats.set(zone, made);
  return made;
}
