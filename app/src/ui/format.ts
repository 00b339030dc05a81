import { dayIn } from "@sampai/engine";
import type { TFunction } from "i18next";
import type { Language } from "../i18n/index.ts";

/** How moments, sizes and distances are written for people, always in the workspace's zone. */
export interface Format {
  /** `14:05`, and the date before it where it is not today. */
  time(utc: string): string;
  /** The same to the second, where it matters which of two moments was the later one. */
  exactTime(utc: string): string;
  /** `Tuesday, 24 November`. */
  day(ms: number): string;
  /** `3 min`, `2 h`: between then and now. */
  age(utc: string): string;
  /** `1.4 MB`. */
  size(bytes: number): string;
  /** `800 m`, `2.5 km`. */
  distance(meters: number): string;
  number(value: number): string;
}

export function createFormat(language: Language, zone: string, t: TFunction): Format {
  const locale = language === "ms" ? "ms-MY" : "en-MY";
  const hours = { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const clock = new Intl.DateTimeFormat(locale, hours);
  const exact = new Intl.DateTimeFormat(locale, { ...hours, second: "2-digit" });
  const short = new Intl.DateTimeFormat(locale, { timeZone: zone, day: "numeric", month: "short" });
  const long = new Intl.DateTimeFormat(locale, { timeZone: zone, weekday: "long", day: "numeric", month: "long" });
  // Coordinates have five digits that matter.
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 7 });
  const oneDigit = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const dated = (utc: string, hand: Intl.DateTimeFormat) => {
    const ms = Date.parse(utc);
    const at = hand.format(ms);
    return dayIn(ms, zone) === dayIn(Date.now(), zone) ? at : `${short.format(ms)}, ${at}`;
  };
  return {
    time: (utc) => dated(utc, clock),
    exactTime: (utc) => dated(utc, exact),
    day: (ms) => long.format(ms),
    age: (utc) => {
      const minutes = Math.floor((Date.now() - Date.parse(utc)) / 60_000);
      if (minutes < 1) return t("time.seconds");
      if (minutes < 60) return t("time.minutes", { count: minutes });
      if (minutes < 2_880) return t("time.hours", { count: Math.floor(minutes / 60) });
      return t("time.days", { count: Math.floor(minutes / 1_440) });
    },
    size: (bytes) => {
      if (bytes < 1_000) return `${bytes} B`;
      if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} kB`;
      return `${oneDigit.format(bytes / 1_000_000)} MB`;
    },
    distance: (meters) => (meters < 1_000 ? `${Math.round(meters)} m` : `${oneDigit.format(meters / 1_000)} km`),
    number: (value) => number.format(value),
  };
}
