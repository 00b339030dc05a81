import { msFromUtc } from "../core/clock.ts";
import type { DayCertificate, EventRange } from "../wire/index.ts";

/** What the sentence is made of: a certificate, or what would stand in one now. */
export type SpokenDay = Pick<
  DayCertificate,
  "rep" | "day" | "zone" | "standing" | "events" | "photos" | "missing" | "holes" | "damaged" | "except"
>;

/** Ranges that a sentence names; more are counted. */
const NAMED = 3;

/** A day as a person reads it, such as `R012, 25 Nov: complete. 47 of 47 events, 5 of 6 photos owed.` */
export function daySentence(spoken: SpokenDay): string {
  const { rep, day, standing, events, photos } = spoken;
  const counts = [`${events.here} of ${events.declared} events`];
  if (photos.owed > 0) counts.push(`${photos.owed} of ${photos.captured} photos owed`);
  else if (photos.captured > 0) counts.push(`all ${photos.captured} photos`);
  if (photos.lost > 0) counts.push(`${photos.lost} of them lost on the phone`);
  return `${rep}, ${dayWords(day)}: ${standingWords(standing)}${because(spoken)}. ${counts.join(", ")}.`;
}

/** `2026-11-25` → `25 Nov`. */
export function dayWords(day: string): string {
  return dayFormat.format(msFromUtc(`${day}T00:00:00Z`));
}

const dayFormat = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });

function standingWords(standing: SpokenDay["standing"]): string {
  return standing.replaceAll("-", " ");
}

function because({ standing, missing, holes, damaged, except, zone }: SpokenDay): string {
  const gone = [
    ...(holes.length === 0 ? [] : [`lost on the phone are ${rangesWords(holes)}`]),
    ...damaged.map(({ device, records }) => `device ${device} cannot read ${records} records`),
  ];
  const others = except.map(({ device, why, lastContact }) => {
    const heard = lastContact === null ? "never heard" : `last heard ${momentWords(lastContact, zone)}`;
    return why === "revoked" ? `device ${device} (revoked, ${heard})` : `device ${device} (${heard})`;
  });
  switch (standing) {
    case "incomplete":
      return missing.length === 0 ? "" : `, missing are ${rangesWords(missing)}`;
    case "complete-except":
      return ` ${others.join(", ")}${gone.length === 0 ? "" : `; ${gone.join("; ")}`}`;
    case "complete-with-holes":
      return gone.length === 0 ? "" : `: ${gone.join("; ")}`;
    case "complete":
      return "";
  }
}

function rangesWords(ranges: readonly EventRange[]): string {
  const named = ranges.slice(0, NAMED).map(({ device, run, from, to }) => {
    const which = from === to ? `event ${from}` : `events ${from}–${to}`;
    return `${which} of run ${run.slice(0, 8)} on device ${device}`;
  });
  if (ranges.length > NAMED) named.push(`${ranges.length - NAMED} more ranges`);
  return named.join(", ");
}

function momentWords(utc: string, zone: string): string {
  const format = { timeZone: zone, day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } as const;
  return new Intl.DateTimeFormat("en-GB", format).format(msFromUtc(utc));
}
