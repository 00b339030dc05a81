import { eventKinds, readEvent } from "@sampai/engine/events";
import { dayIn, msFromUtc, startOfDayMs } from "@sampai/engine/core";
import { claimSchema, dayCertificateSchema, NAMED_AT_MOST, type Claim, type DayCertificate } from "@sampai/engine/wire";
import type { Sql } from "../database/sql.ts";
import { boundTimes, timedEvent, type EventTime } from "../order-log/event-time.ts";
import { tipsOf } from "../order-log/standing.ts";
import type { DayFacts, DeviceFacts } from "./certificate.ts";
import { chainBack, type Link } from "./device-chain.ts";
import { rangesOf } from "./event-ranges.ts";
import { missingOf } from "./missing.ts";
import { certificateOf } from "./stored-certificates.ts";
import { notAdmission } from "../trail/reader.ts";

/** One person's day in the workspace's zone. */
export interface DayKey {
  readonly rep: string;
  /** `YYYY-MM-DD`. */
  readonly day: string;
  readonly zone: string;
}

interface DeviceRow {
  readonly device: string;
  readonly enrolled: string;
  readonly revoked: string | null;
  readonly at: string | null;
  readonly claim: string | null;
}

interface CloseRow {
  readonly position: number;
  readonly device: string;
  readonly run: string;
  readonly seq: number;
  readonly hash: string;
  readonly at: string;
  readonly events: number;
  readonly photos: number;
}

/**
 * Collects what is known of a day. On a device that closed it, the day is the range of its chain since the last close of
 * any day. Events that their device closed nothing over belong to the day that their bounded time falls on.
 */
export function readDay(sql: Sql, key: DayKey): DayFacts {
  const { rep, day, zone } = key;
  const devices = sql(
    `select device.device, enrolled, revoked, contact.at, contact.claim
       from device left join contact on contact.device = device.device where person = ? order by enrolled, device.device`,
  ).all(rep) as unknown as DeviceRow[];
  const term = sql("select started from term order by number desc limit 1").get() as { started: string };
  const before = certificateBefore(sql, rep, day);
  const closes = devices.flatMap(({ device }) => closesOf(sql, device, day)).sort((a, b) => a.position - b.position);
  const isCleared = clearedBy(certificateOf(sql, rep, day)?.certificate ?? null, closes);
  const photos = { captured: 0, owed: [] as string[], lost: 0 };
  let here = 0;
  let reopened = 0;
  let expired = closes.some(({ position }) => isExpired(sql, position));
  const facts = devices.map((row): DeviceFacts => {
    const { device } = row;
    const claim = row.claim === null ? null : readClaim(row.claim);
    const own = closes.filter((close) => close.device === device);
    const links = takenOn(sql, row, own, key);
    const events = links.all.filter(({ type }) => type === "event");
    here += events.length;
    reopened += links.reopened;
    const lost = new Set(claim?.photosOwed.filter((photo) => photo.lost === true).map(({ id }) => id));
    for (const { id, bytes, position } of events) {
      if (bytes.length === 0) expired ||= isExpired(sql, position);
      if (id === null || kindOf(bytes) !== eventKinds.photoCaptured.name) continue;
      photos.captured += 1;
      if (isPhotoHere(sql, id)) continue;
      photos.owed.push(id);
      if (lost.has(id)) photos.lost += 1;
    }
    const damagedBefore = before?.devices.find((other) => other.device === device)?.damaged ?? 0;
    return {
      device,
      enrolledDay: dayIn(msFromUtc(row.enrolled), zone),
      revokedDay: row.revoked === null ? null : dayIn(msFromUtc(row.revoked), zone),
      cleared: isCleared(device),
      claimedAt: row.at,
      heardInTerm: row.at !== null && row.at >= term.started,
      damaged: claim?.damaged ?? 0,
      damagedBefore,
      heads: tipsOf({ sql }, device),
      ...missingOf(sql, device),
      quarantined: count(sql, "select count(*) as count from quarantine where device = ?", device),
      holes: rangesOf(device, holesOf(sql, device, links.all, key)),
      took: events.length > 0 || own.length > 0,
    };
  });
  return {
    closes: closes.map(({ device, run, seq, hash, position, at, events, photos: counted }) => ({
      device,
      run,
      seq,
      hash,
      position,
      at,
      counted: { events, photos: counted },
    })),
    here,
    reopened,
    photos: { ...photos, owed: photos.owed.sort() },
    devices: facts,
    expired,
  };
}

/** Whether a certificate of the same closes speaks for a device and knows of nothing missing there. */
function clearedBy(held: DayCertificate | null, closes: readonly CloseRow[]): (device: string) => boolean {
  const closed = closes.slice(-NAMED_AT_MOST);
  const isOfThese =
    held !== null &&
    held.closes.length === closed.length &&
    held.closes.every(({ hash }, index) => hash === closed[index]?.hash) &&
    // Where it names nothing of what is missing, or not all, anyone's may be.
    (held.standing !== "incomplete" || held.missing.length > 0) &&
    held.missing.length < NAMED_AT_MOST;
  if (!isOfThese) return () => false;
  const doubtful = new Set([...held.missing, ...held.except].map(({ device }) => device));
  const spokenOf = new Set(held.devices.map(({ device }) => device));
  return (device) => spokenOf.has(device) && !doubtful.has(device);
}

function isExpired(sql: Sql, position: number): boolean {
  return sql("select 1 from expired where position = ?").get(position) !== undefined;
}

function closesOf(sql: Sql, device: string, day: string): CloseRow[] {
  return sql("select * from day_close where device = ? and filed = ? order by position").all(
    device,
    day,
  ) as unknown as CloseRow[];
}

/** The links of one device's chain that belong to the day, and how many events came after its last close of it. */
function takenOn(
  sql: Sql,
  { device, enrolled }: DeviceRow,
  closes: readonly CloseRow[],
  { day, zone }: DayKey,
): { readonly all: readonly Link[]; readonly reopened: number } {
  const filedUnder = (hash: string) =>
    (sql("select coalesce(filed, day) as day from day_close where hash = ?").get(hash) as { day: string } | undefined)
      ?.day;
  const all = new Map<string, Link>();
  for (const close of closes) {
    for (const link of chainBack(sql, device, close.hash)) {
      if (link.hash === close.hash) continue;
      if (filedUnder(link.hash) !== undefined || all.has(link.hash)) break;
      all.set(link.hash, link);
    }
  }
  let reopened = 0;
  const walked = new Set(all.keys());
  const beginMs = startOfDayMs(day, zone);
  for (const tip of tipsOf({ sql }, device)) {
    const open: Link[] = [];
    let closedBy: string | undefined;
    for (const link of chainBack(sql, device, tip.hash)) {
      closedBy = filedUnder(link.hash);
      // What the relay had before the day began did not happen on it, nor did anything before that.
      if (closedBy !== undefined || walked.has(link.hash) || msFromUtc(link.received) < beginMs) break;
      walked.add(link.hash);
      open.push(link);
    }
    const ofTheDay = fallingOn(open.reverse(), day, zone, msFromUtc(enrolled));
    if (closedBy === day) reopened += ofTheDay.filter(({ type }) => type === "event").length;
    else for (const link of ofTheDay) all.set(link.hash, link);
  }
  return { all: [...all.values()], reopened };
}

/** Links in the order of their chain → those whose moment falls on the day. A hole falls where the one before it does. */
function fallingOn(links: readonly Link[], day: string, zone: string, notBeforeMs: number): Link[] {
  const timed = links.flatMap((link) => {
    const read = link.type === "event" ? readEvent(link.bytes) : null;
    return read?.ok === true ? [{ hash: link.hash, event: timedEvent(read.value, link.received) }] : [];
  });
  const times = boundTimes(
    timed.map(({ event }) => event),
    notBeforeMs,
  );
  const bestOf = new Map(timed.map(({ hash }, index) => [hash, (times[index] as EventTime).bestMs]));
  let lastMs: number | undefined;
  return links.filter((link) => {
    const ms = bestOf.get(link.hash) ?? (link.type === "hole" ? lastMs : undefined) ?? msFromUtc(link.received);
    lastMs = ms;
    return dayIn(ms, zone) === day;
  });
}

/** Unfilled holes within the day, and those at an end of its chain, which nothing follows. */
function holesOf(sql: Sql, device: string, links: readonly Link[], { day, zone }: DayKey) {
  const within = links.filter(({ type }) => type === "hole");
  const inDay = new Set(links.map(({ run, seq }) => `${run} ${seq}`));
  const ends = sql(
    `select run, seq, hash from hole where device = ?1 and filled is null
       and not exists (select 1 from followed_hole where device = ?1 and hash = hole.hash) order by run, seq`,
  ).all(device) as unknown as { run: string; seq: number; hash: string }[];
  const atEnd = ends.filter(({ run, seq, hash }) => {
    const isInside =
      inDay.has(`${run} ${seq - 1}`) || (!hasPlaced(sql, device, run, seq - 1) && declaredOn(hash) === day);
    if (isInside) inDay.add(`${run} ${seq}`);
    return isInside;
  });
  function declaredOn(hash: string): string | undefined {
    const { received } = (sql(
      "select received from log where device = ? and run in (select run from hole where hash = ?) and hash = ? and type = 'hole'",
    ).get(device, hash, hash) ?? {}) as { received?: string };
    return received === undefined ? undefined : dayIn(msFromUtc(received), zone);
  }
  return [...within, ...atEnd].map(({ run, seq }) => ({ run, from: seq, to: seq }));
}

function hasPlaced(sql: Sql, device: string, run: string, seq: number): boolean {
  const row = sql("select 1 from log where device = ? and run = ? and seq = ? and type in ('event', 'hole') limit 1");
  return row.get(device, run, seq) !== undefined;
}

function isPhotoHere(sql: Sql, id: string): boolean {
  const row = sql(
    `select 1 from trail where item = ? and ${notAdmission} and topic = 'photo.arrived'
       and coalesce(json_extract(detail, '$.part'), 'original') = 'original' limit 1`,
  );
  return row.get(id) !== undefined;
}

function kindOf(bytes: Uint8Array): string | null {
  const read = readEvent(bytes);
  return read.ok ? read.value.kind : null;
}

function count(sql: Sql, text: string, device: string): number {
  return (sql(text).get(device) as { count: number }).count;
}

/** Claims are stored without their attempts, which have a table of their own. */
function readClaim(text: string): Claim | null {
  const parsed = claimSchema.safeParse(JSON.parse(text));
  return parsed.success ? parsed.data : null;
}

/** The newest certificate of an earlier day of the same person. */
function certificateBefore(sql: Sql, rep: string, day: string): DayCertificate | null {
  const row = sql(
    `select bytes from day_certificate join log on log.position = day_certificate.position
       where rep = ? and day < ? order by day desc, number desc limit 1`,
  ).get(rep, day) as { bytes: Uint8Array } | undefined;
  return row === undefined ? null : dayCertificateSchema.parse(JSON.parse(new TextDecoder().decode(row.bytes)));
}
