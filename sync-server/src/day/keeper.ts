import { dayIn, msFromUtc, sha256Hex, utcFromMs, utf8ToBytes } from "@sampai/engine/core";
import { readEvent } from "@sampai/engine";
import { dayMessage, encodeFrame, type CertificateReason } from "@sampai/engine/wire";
import type { RelayContext } from "../context.ts";
import { sqlOf, type Sql } from "../database/sql.ts";
import { DiskFull } from "../database/writer.ts";
import { captureMs } from "../order-log/event-time.ts";
import { timesOf } from "../order-log/run-times.ts";
import { certificateText, decide, stateDay, type DayStatement } from "./certificate.ts";
import { readDay } from "./day-facts.ts";
import { filedDay } from "./filing.ts";
import { certificateOf, type StoredCertificate } from "./stored-certificates.ts";
import { notAdmission } from "../trail/reader.ts";

/** A certificate follows what it speaks of by this much: what came together is certified together. */
const DELAY_MS = 200;
/** What waits for a late device is looked at again after this much. */
const AGAIN_MS = 5_000;
const PAGE = 1_000;
const TRIES = 5;

interface Doubt {
  readonly rep: string;
  readonly day: string;
  readonly sinceMs: number;
  /** Why it could not be certified when it was last tried, null where nothing failed. It is logged once. */
  failure: string | null;
}

/**
 * Issues day certificates: when a close is placed, and again when what was missing has come, when something of a
 * certified day comes late, and when its photos are all here. Reads the trail for what has changed; the facts are read
 * again in the writer's transaction, so that a certificate is true at its place.
 */
export async function startDays(context: RelayContext): Promise<() => Promise<void>> {
  const { writer, clock, db, workspace, log } = context;
  const sql = sqlOf(db);
  const { zone } = workspace;
  const doubted = new Map<string, Doubt>();
  let next = firstUnread(sql);
  let cancel: (() => void) | null = null;
  let isSlow = false;
  let working: Promise<void> = Promise.resolve();
  let stopped = false;

  const doubt = (rep: string, day: string) => {
    const key = `${rep} ${day}`;
    if (!doubted.has(key)) doubted.set(key, { rep, day, sinceMs: clock.tickMs(), failure: null });
  };

  const work = async () => {
    await fileCloses(sql, writer, zone, doubt);
    next = await readTrail(sql, next, zone, doubt);
    for (const [key, doubt] of doubted) {
      if (stopped) return;
      if (await settleAlone(doubt)) doubted.delete(key);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  /** A day that cannot be certified stays doubted, and keeps no other day waiting. */
  const settleAlone = async (doubt: Doubt): Promise<boolean> => {
    const { rep, day, sinceMs } = doubt;
    try {
      return await settle(rep, day, clock.tickMs() - sinceMs);
    } catch (error) {
      // It fails every day alike: said and waited out once, not for each.
      if (error instanceof DiskFull) throw error;
      const failure = String(error);
      if (failure !== doubt.failure) log.warn({ rep, day, error: wordsOf(error) }, "a day waits");
      doubt.failure = failure;
      return false;
    }
  };

  /** Answers whether the day is as its certificate says, or became so. */
  const settle = async (rep: string, day: string, waitedMs: number): Promise<boolean> => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const held = certificateOf(sql, rep, day);
      const facts = readDay(sql, { rep, day, zone });
      // What was certified before its bytes went stands as it was signed; nothing true can be added to it.
      if (facts.expired) return true;
      const now = stateDay(day, facts);
      const decision = decide(held?.certificate ?? null, now, waitedMs);
      if (decision.act === "keep") return true;
      if (decision.act === "wait") return false;
      if (await issue(rep, day, decision.reason, held, now)) return true;
    }
    return false;
  };

  const issue = async (
    rep: string,
    day: string,
    reason: CertificateReason,
    held: StoredCertificate | null,
    now: DayStatement,
  ): Promise<boolean> => {
    const { term } = sql("select id as term from term order by number desc limit 1").get() as { term: string };
    const restates =
      held === null
        ? null
        : {
            number: held.certificate.number,
            position: held.position,
            issuedAt: held.certificate.issuedAt,
            events: held.certificate.events.here,
          };
    const number = (held?.certificate.number ?? 0) + 1;
    const issuedAt = utcFromMs(clock.wallMs());
    const head = { workspace: workspace.id, rep, day, zone, term, number, reason, restates, issuedAt };
    const text = certificateText(head, now);
    const bytes = utf8ToBytes(text);
    const signature = workspace.sign(dayMessage(sha256Hex(bytes)));
    const stored = await writer.run("certifyDay", { text, signature });
    if (stored === "stale") return false;
    const frame = encodeFrame({ type: "certificate", certificate: bytes, signature, position: stored.position });
    context.hub.send(frame, ({ caller }) => caller.person === rep);
    return true;
  };

  const later = (delayMs: number) => {
    if (stopped) return;
    if (cancel !== null && isSlow && delayMs < AGAIN_MS) {
      // Something has come: what was put off is looked at now.
      cancel();
      cancel = null;
    }
    if (cancel !== null) return;
    isSlow = delayMs >= AGAIN_MS;
    cancel = clock.after(delayMs, () => {
      cancel = null;
      working = working
        .then(work)
        .catch((error: unknown) => {
          // A full disk leaves days uncertified; they stay doubted, and acknowledgements do not wait for them.
          log.warn({ error: wordsOf(error) }, "days wait");
        })
        .then(() => {
          if (doubted.size > 0) later(AGAIN_MS);
        });
    });
  };

  for (const { rep, day } of waitingDays(sql, null, ["events", "photos"])) doubt(rep, day);
  let seen = -1;
  const stop = writer.onCommit(({ trail }) => {
    if (trail === seen) return;
    seen = trail;
    later(DELAY_MS);
  });
  later(DELAY_MS);
  return async () => {
    stopped = true;
    stop();
    cancel?.();
    await working;
  };
}

const wordsOf = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** Closes that were placed and not looked at: under which day do they belong? */
async function fileCloses(
  sql: Sql,
  writer: RelayContext["writer"],
  zone: string,
  doubt: (rep: string, day: string) => void,
): Promise<void> {
  const rows = sql(
    `select position, day_close.device, run, seq, hash, day, person from day_close
       join device on device.device = day_close.device where filed is null order by position limit ${PAGE}`,
  ).all() as unknown as {
    position: number;
    device: string;
    run: string;
    seq: number;
    hash: string;
    day: string;
    person: string;
  }[];
  if (rows.length === 0) return;
  const times = timesOf(sql, rows);
  const filed = rows.map(({ position, hash, day }) => {
    const time = times.get(hash);
    return { position, day: time === undefined ? day : filedDay(day, time, zone) };
  });
  await writer.run("fileCloses", { filed });
  for (const [index, { person }] of rows.entries()) doubt(person, (filed[index] as { day: string }).day);
}

/** Reads what the relay has noted since, and doubts the days that it may concern. Answers the next trail position. */
async function readTrail(
  sql: Sql,
  from: number,
  zone: string,
  doubt: (rep: string, day: string) => void,
): Promise<number> {
  const page = sql(
    `select trail.position, trail.topic, trail.detail, trail.device, person from trail
       left join device on device.device = trail.device where trail.position >= ? order by trail.position limit ${PAGE}`,
  );
  const touched = new Map<string, Set<"events" | "photos">>();
  const hasCertificate = sql("select 1 from day_certificate where rep = ? and day = ? limit 1");
  const certified = new Map<string, boolean>();
  const isCertified = (rep: string) => {
    const known =
      certified.get(rep) ?? sql("select 1 from day_certificate where rep = ? limit 1").get(rep) !== undefined;
    certified.set(rep, known);
    return known;
  };
  let next = from;
  for (;;) {
    const rows = page.all(next) as unknown as {
      position: number;
      topic: string;
      detail: string;
      person: string | null;
    }[];
    for (const { position, topic, detail, person } of rows) {
      next = position + 1;
      if (person === null || !isCertified(person)) continue;
      const waits = touched.get(person) ?? new Set();
      touched.set(person, waits.add(topic === "photo.arrived" ? "photos" : "events"));
      if (topic !== "admission") continue;
      const { answer, position: leaf } = JSON.parse(detail) as { answer?: string; position?: number };
      if (leaf === undefined || answer === "duplicate") continue;
      const day = dayOfLeaf(sql, leaf, zone);
      if (day !== null && hasCertificate.get(person, day) !== undefined) doubt(person, day);
    }
    if (rows.length < PAGE) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [rep, waits] of touched) for (const { day } of waitingDays(sql, rep, [...waits])) doubt(rep, day);
  return next;
}

function dayOfLeaf(sql: Sql, position: number, zone: string): string | null {
  const row = sql("select type, received, bytes from log where position = ?").get(position) as
    | { type: string; received: string; bytes: Uint8Array }
    | undefined;
  if (row === undefined) return null;
  const read = row.type === "event" ? readEvent(row.bytes) : null;
  return dayIn(read?.ok === true ? captureMs(read.value, row.received) : msFromUtc(row.received), zone);
}

/** Days whose newest certificate waits for one of these, the last forty of a person, and days closed and not certified. */
function waitingDays(
  sql: Sql,
  rep: string | null,
  waits: readonly ("events" | "photos")[],
): readonly { rep: string; day: string }[] {
  const rows = sql(
    `select rep, day from day_certificate as newest
       where (?1 is null or rep = ?1) and waits in (?2, ?3)
         and number = (select max(number) from day_certificate where rep = newest.rep and day = newest.day)
         and day >= coalesce((select day from day_certificate where rep = newest.rep and number = 1
           order by day desc limit 1 offset 40), '')
     union
     select person as rep, filed as day from day_close join device on device.device = day_close.device
       where (?1 is null or person = ?1) and filed is not null
         and not exists (select 1 from day_certificate where rep = person and day = filed)`,
  ).all(rep, waits[0] ?? "", waits[1] ?? "");
  return rows as unknown as { rep: string; day: string }[];
}

/**
 * Where to go on reading the trail after a start: some rows before the newest certificate was noted. What came since is
 * looked at again, which costs little and changes nothing that is settled.
 */
function firstUnread(sql: Sql): number {
  // `cross` keeps the order of the join: the newest certificate first, not every row of the trail.
  const newest = sql(
    `select trail.position from day_certificate
       cross join log on log.position = day_certificate.position
       cross join trail on trail.item = log.id and ${notAdmission} and trail.topic = 'day.certified'
       order by day_certificate.position desc limit 1`,
  ).get() as { position: number } | undefined;
  if (newest !== undefined) return Math.max(0, newest.position - PAGE);
  return (sql("select coalesce(max(position) + 1, 0) as head from trail").get() as { head: number }).head;
}
