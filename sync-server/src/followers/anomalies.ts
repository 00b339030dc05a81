import type { DatabaseSync } from "node:sqlite";
import type { Detector } from "../anomalies/detector.ts";
import { detectors as allDetectors } from "../anomalies/index.ts";
import { observe, type Observation } from "../anomalies/observation.ts";
import {
  findingTables,
  insertFinding,
  standing,
  standingAfter,
  writeFindings,
  type FindingsOf,
  type StandingFinding,
} from "./findings.ts";
import type { Follower, FollowerContext, LogItem, StreamItem } from "./follower.ts";
import { createHistories, historyTables, type Histories } from "./histories.ts";

const tables = `
create table if not exists history_state (
  detector text not null,
  who text not null,
  order_key text not null,
  steps integer not null,
  kept integer not null,
  state text not null,
  primary key (detector, who, order_key)
) strict, without rowid;
`;

/** A history is read again from the last of these before the place where something came late. */
const KEEP_EVERY = 200;

/**
 * Detection. Every event takes its place in the histories of its boot, picture, person and store, in capture order; each
 * detector's state stands at the end of each history. What comes late takes its place too, and the history is read again
 * from there: so what is found depends on what happened, never on the order in which phones found a signal.
 */
export function createAnomalies(detectors: readonly Detector[] = allDetectors): Follower {
  return {
    name: "anomalies",
    // Any detector's change is a change of the whole: their versions add up.
    version: 200 + detectors.reduce((sum, { version }) => sum + version, 0),
    stream: "log",
    prepare: (db) => db.exec([historyTables, tables, findingTables].join("\n")),
    reset: (db) =>
      db.exec(
        "drop table if exists observation; drop table if exists history; drop table if exists history_state; drop table if exists finding",
      ),
    step: (db, page, context) => {
      const histories = createHistories(db);
      for (const item of page) takeIn(item, histories, context);
      for (const boot of histories.boots) histories.retimeBoot(boot);
      const touched = new Map<string, FindingsOf>();
      for (const hash of histories.fresh) {
        const seen = histories.observation(hash);
        for (const detector of detectors) {
          if (detector.subject === "event") judgeAlone(db, detector, seen, context, touched);
        }
      }
      for (const { subject, who, fromKey } of histories.dirty()) {
        for (const detector of detectors) {
          if (detector.subject === subject) advance(db, histories, detector, who, fromKey, context, touched);
        }
      }
      writeFindings(histories, touched, context);
    },
  };
}

function takeIn(item: StreamItem, histories: Histories, { masters }: FollowerContext): void {
  if (item.stream !== "log" || item.type !== "event" || item.event === null || histories.has(item.hash)) return;
  const seen = observe(item as LogItem & { event: NonNullable<LogItem["event"]> }, masters);
  histories.put(seen, item.position);
  histories.fresh.add(item.hash);
}

function judgeAlone(
  db: DatabaseSync,
  detector: Detector,
  seen: Observation,
  context: FollowerContext,
  touched: Map<string, FindingsOf>,
): void {
  const { findings = [] } = detector.step(detector.start(), seen, context);
  const after = new Map<string, StandingFinding>();
  for (const found of findings) {
    insertFinding(db, detector, "", "", found);
    after.set(found.event.hash, standing(detector, found));
  }
  if (after.size > 0) touched.set(`${detector.name} ${seen.hash}`, { before: new Map(), after });
}

/** Reads one history from the place where something changed, and leaves the detector's state at its end. */
function advance(
  db: DatabaseSync,
  { sql, observation }: Histories,
  detector: Detector,
  who: string,
  fromKey: string,
  context: FollowerContext,
  touched: Map<string, FindingsOf>,
): void {
  const { name, subject } = detector;
  sql("delete from history_state where detector = ? and who = ? and order_key >= ?").run(name, who, fromKey);
  const last = sql(
    "select order_key, steps, state from history_state where detector = ? and who = ? order by order_key desc limit 1",
  ).get(name, who) as { order_key: string; steps: number; state: string } | undefined;
  const startKey = last?.order_key ?? "";
  const before = standingAfter(sql, detector, who, startKey);
  sql("delete from finding where detector = ? and who = ? and made_at > ?").run(name, who, startKey);
  sql(
    "update finding set withdrawn_at = null where detector = ? and who = ? and made_at <= ? and withdrawn_at > ?",
  ).run(name, who, startKey, startKey);
  let state = last === undefined ? detector.start() : (JSON.parse(last.state) as unknown);
  let steps = last?.steps ?? 0;
  let key = startKey;
  const keep = (kept: 0 | 1) =>
    sql(
      "insert or replace into history_state (detector, who, order_key, steps, kept, state) values (?, ?, ?, ?, ?, ?)",
    ).run(name, who, key, steps, kept, JSON.stringify(state));
  const rows = sql(
    "select order_key, hash from history where subject = ? and who = ? and order_key > ? order by order_key",
  ).all(subject, who, startKey) as unknown as { order_key: string; hash: string }[];
  for (const row of rows) {
    const step = detector.step(state, observation(row.hash), context);
    state = step.state;
    steps += 1;
    key = row.order_key;
    for (const hash of step.withdraw ?? []) {
      sql(
        "update finding set withdrawn_at = ? where detector = ? and who = ? and hash = ? and withdrawn_at is null",
      ).run(key, name, who, hash);
    }
    for (const found of step.findings ?? []) {
      const stands = sql("select 1 from finding where hash = ? and detector = ? and withdrawn_at is null").get(
        found.event.hash,
        name,
      );
      if (stands === undefined) insertFinding(db, detector, who, key, found);
    }
    if (steps % KEEP_EVERY === 0) keep(1);
  }
  if (key !== "" && (rows.length > 0 || last !== undefined) && steps % KEEP_EVERY !== 0) {
    sql("delete from history_state where detector = ? and who = ? and kept = 0").run(name, who);
    keep(0);
  }
  touched.set(`${name} ${who}`, { before, after: standingAfter(sql, detector, who, startKey) });
}
