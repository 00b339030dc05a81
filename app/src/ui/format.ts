import { dayIn } from "@sampai/engine";
import type { TFunction } from "i18next";
import type { Language } from "../i18n/index.ts";

/** How moments, sizes and distances are written for people, always in the workspace's zone. */
export interface Format {
  /** `14:05`, and the date before it where it is not today. */
  time(utc: string): string;
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
  const clock = new Intl.DateTimeFormat(locale, {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const short = new Intl.DateTimeFormat(locale, { timeZone: zone, day: "numeric", month: "short" });
  const long = new Intl.DateTimeFormat(locale, { timeZone: zone, weekday: "long", day: "numeric", month: "long" });
  const number = new Intl.NumberFormat(locale);
  const oneDigit = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  return {
    time: (utc) => {
      const ms = Date.parse(utc);
      const at = clock.format(ms);
      return dayIn(ms, zone) === dayIn(Date.now(), zone) ? at : `${short.format(ms)}, ${at}`;
    },
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
