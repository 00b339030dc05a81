import { dayIn } from "@sampai/engine/core";
import {
  consequenceOf,
  eventKinds,
  judgeWith,
  policies,
  type Envelope,
  type Pack,
  type Policy,
  type PolicyContext,
  type Verdict,
} from "@sampai/engine";
import { hash as digestOf } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { captureMs } from "./capture-time.ts";
import type { Follower, FollowerContext, LogItem } from "./follower.ts";
import { leafVerdicts } from "./leaf-verdicts.ts";
import { prepared } from "./prepared.ts";

const tables = `
create table if not exists judged (
  position integer primary key,
  outcome integer not null
) strict;
create table if not exists judge_outcome (
  number integer primary key,
  digest text not null unique,
  passed text not null,
  unchecked text not null
) strict;
create table if not exists verdict (
  position integer not null,
  rule text not null,
  version integer not null,
  hash text not null,
  consequence text not null,
  inputs text not null,
  sentence_en text not null,
  sentence_ms text not null,
  item text not null,
  rep text not null,
  store text,
  primary key (position, rule, version)
) strict, without rowid;
create table if not exists judge_visit (
  id text primary key,
  rep text not null,
  store text not null,
  closed integer not null
) strict, without rowid;
create table if not exists judge_day (
  rep text not null,
  day text not null,
  attendance text,
  closed integer not null,
  primary key (rep, day)
) strict, without rowid;
`;

const DAY_MS = 86_400_000;
const { checkIn, checkOut, attendanceStarted, attendanceEnded, dayClosed } = eventKinds;

/**
 * Judging: every event against every business rule, with the pack and the store master as its author saw them, and the
 * visit and the day as they stood just before it. A verdict changes nothing that was captured; it marks or holds.
 */
export function createJudge(rules: readonly Policy[] = policies): Follower {
  return {
    name: "judge",
    version: 300 + rules.reduce((sum, { version }) => sum + version, 0),
    stream: "log",
    prepare: (db) => db.exec(tables),
    reset: (db) =>
      db.exec(
        `drop table if exists judged; drop table if exists judge_outcome; drop table if exists verdict;
         drop table if exists judge_visit; drop table if exists judge_day`,
      ),
    step: (db, page, context) => {
      const outcomes = new Map<string, number>();
      for (const item of page) {
        // What remains of a forgotten person's order would break rules that the order kept.
        if (item.stream !== "log" || item.type !== "event" || item.isRemains) continue;
        judgeOne(db, item, rules, outcomes, context);
        if (item.event !== null) remember(db, item, item.event, context);
      }
      context.changed("verdicts");
      context.changed("board:today");
    },
  };
}

function judgeOne(
  db: DatabaseSync,
  item: LogItem,
  rules: readonly Policy[],
  outcomes: Map<string, number>,
  context: FollowerContext,
): void {
  const { event, hash, position, device } = item;
  const person = context.masters.personOf(device);
  const rep = person ?? event?.rep ?? "";
  const verdicts = [
    ...leafVerdicts(item, person),
    ...(event === null ? [] : judgeWith(rules, event, contextOf(db, item, event, rep, context))),
  ];
  const pack = event === null || event.seen.pack === null ? null : context.masters.pack(event.seen.pack);
  const name = event?.id ?? hash;
  const outcome = outcomeOf(db, verdicts, pack, outcomes);
  prepared(db, "insert into judged (position, outcome) values (?, ?)").run(position, outcome);
  for (const verdict of verdicts) {
    if (verdict.verdict !== "fail") continue;
    const { rule, version, inputs, sentence } = verdict;
    const consequence = consequenceOf(pack, rule);
    prepared(
      db,
      `insert into verdict (position, rule, version, hash, consequence, inputs, sentence_en, sentence_ms, item, rep, store)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      position,
      rule,
      version,
      hash,
      consequence,
      JSON.stringify(inputs),
      sentence.en,
      sentence.ms,
      name,
      rep,
      event?.store ?? null,
    );
    context.note(`verdict ${hash} ${rule} ${version}`, {
      topic: "verdict",
      device,
      item: name,
      detail: { rule, version, consequence, sentence: sentence.en },
    });
  }
}

/**
 * The number of what was passed and what was not checked. Thousands of orders have the same in the same words: that is
 * kept once. `known` are the numbers of this page.
 */
function outcomeOf(
  db: DatabaseSync,
  verdicts: readonly Verdict[],
  pack: Pack | null,
  known: Map<string, number>,
): number {
  const passed = JSON.stringify(verdicts.filter(({ verdict }) => verdict === "pass").map(named));
  const unchecked = JSON.stringify(
    verdicts
      .filter(({ verdict }) => verdict === "not-checked")
      .map((verdict) => ({ ...verdict, consequence: consequenceOf(pack, verdict.rule) })),
  );
  const text = passed + unchecked;
  const number = known.get(text) ?? storedOutcome(db, passed, unchecked, digestOf("sha256", text));
  known.set(text, number);
  return number;
}

function storedOutcome(db: DatabaseSync, passed: string, unchecked: string, digest: string): number {
  const stored = prepared(db, "select number from judge_outcome where digest = ?").get(digest);
  if (stored !== undefined) return Number(stored["number"]);
  const made = prepared(db, "insert into judge_outcome (digest, passed, unchecked) values (?, ?, ?)").run(
    digest,
    passed,
    unchecked,
  );
  return Number(made.lastInsertRowid);
}

const named = ({ rule, version }: Verdict) => `${rule}@${version}`;

/**
 * What stood just before the event. The log holds each device's events in the order of capture, so that is what was read
 * so far; an event that fills a hole later comes out of turn, and what depends on order is not checked for it.
 */
function contextOf(
  db: DatabaseSync,
  item: LogItem,
  event: Envelope,
  rep: string,
  { masters, zone }: FollowerContext,
): PolicyContext {
  const pack = event.seen.pack === null ? null : masters.pack(event.seen.pack);
  const store =
    event.store === null || event.seen.store.length === 0 ? null : masters.storeSeen(event.store, event.seen.store);
  if (item.flags.includes("late")) return { pack, store, visit: null, closedDays: null, attendance: null };
  const visit =
    event.visit === null
      ? undefined
      : (prepared(db, "select rep, store, closed from judge_visit where id = ?").get(event.visit) as
          | { rep: string; store: string; closed: number }
          | undefined);
  const day = dayIn(captureMs(event, item.received), zone);
  const attendance = prepared(db, "select attendance from judge_day where rep = ? and day = ?").get(rep, day) as
    | { attendance: "started" | "ended" | null }
    | undefined;
  // The day as the rule cuts it may differ by a zone: the days around it are enough.
  const closed = prepared(db, "select day from judge_day where rep = ? and closed = 1 and day between ? and ?").all(
    rep,
    shifted(day, -2),
    shifted(day, 2),
  ) as { day: string }[];
  return {
    pack,
    store,
    visit: visit === undefined ? null : { rep: visit.rep, store: visit.store, state: visit.closed ? "closed" : "open" },
    closedDays: new Set(closed.map((row) => row.day)),
    attendance: attendance?.attendance ?? "not-started",
  };
}

/** A calendar day (`YYYY-MM-DD`) so many days later. */
function shifted(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

function remember(db: DatabaseSync, item: LogItem, event: Envelope, { masters, zone }: FollowerContext): void {
  const rep = masters.personOf(item.device) ?? event.rep;
  const day = dayIn(captureMs(event, item.received), zone);
  switch (event.kind) {
    case checkIn.name:
      prepared(db, "insert or ignore into judge_visit (id, rep, store, closed) values (?, ?, ?, 0)").run(
        event.visit ?? event.id,
        event.rep,
        event.store ?? "",
      );
      return;
    case checkOut.name:
      prepared(db, "update judge_visit set closed = 1 where id = ?").run(event.visit ?? "");
      return;
    case attendanceStarted.name:
    case attendanceEnded.name:
      prepared(
        db,
        `insert into judge_day (rep, day, attendance, closed) values (?, ?, ?, 0)
           on conflict (rep, day) do update set attendance = excluded.attendance`,
      ).run(rep, day, event.kind === attendanceStarted.name ? "started" : "ended");
      return;
    case dayClosed.name: {
      const body = dayClosed.body.safeParse(event.body);
      if (!body.success) return;
      prepared(
        db,
        `insert into judge_day (rep, day, attendance, closed) values (?, ?, null, 1)
           on conflict (rep, day) do update set closed = 1`,
      ).run(rep, body.data.day);
    }
  }
}
