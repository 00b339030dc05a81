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
import { createHistories, historyTables, type ChangedHistory, type Histories } from "./histories.ts";
import { endOf, keep, keptBefore, stateTables, statesAt, writeEnd, type End } from "./history-states.ts";
import { forgetLate, lateTable, mayWait, oldestLate, withLate } from "./late-histories.ts";
import { prepared } from "./prepared.ts";

/** A history is read again from the last of these before the place where something came late. */
const KEEP_EVERY = 200;

/**
 * Detection. Every event takes its place in the histories of its boot, picture, person and store, in capture order; each
 * detector's state stands at the end of each history. What comes late takes its place too, and the history is read again
 * from there: so what is found depends on what happened, never on the order in which phones found a signal. Where much of
 * a long history would have to be read again for little that came late, that waits until the streams rest.
 */
export function createAnomalies(detectors: readonly Detector[] = allDetectors): Follower {
  const bySubject: ReadonlyMap<string, readonly Detector[]> = Map.groupBy(detectors, ({ subject }) => subject);
  return {
    name: "anomalies",
    // Any detector's change is a change of the whole: their versions add up.
    version: 400 + detectors.reduce((sum, { version }) => sum + version, 0),
    stream: "log",
    prepare: (db) => db.exec([historyTables, stateTables, lateTable, findingTables].join("\n")),
    reset: (db) =>
      db.exec(
        `drop table if exists observation; drop table if exists boot_offset; drop table if exists history;
         drop table if exists history_end; drop table if exists history_state; drop table if exists history_kept;
         drop table if exists history_late; drop table if exists finding`,
      ),
    step: (db, page, context) => {
      const histories = createHistories(db);
      for (const item of page) takeIn(item, histories, context);
      histories.retime();
      const touched = new Map<string, FindingsOf>();
      for (const hash of histories.fresh.keys()) {
        const seen = histories.observation(hash);
        for (const detector of bySubject.get("event") ?? []) judgeAlone(db, detector, seen, context, touched);
      }
      const anyWaits = oldestLate(db) !== undefined;
      for (const changed of histories.changed()) {
        const history = anyWaits ? withLate(db, changed) : changed;
        const end = endOf(db, history);
        if (end !== undefined && end.key >= history.fromKey && mayWait(db, history, end.steps)) continue;
        readOn(db, histories, history, end, bySubject.get(history.subject) ?? [], context, touched);
      }
      writeFindings(db, histories, touched, context);
    },
    rest: (db, context) => {
      const history = oldestLate(db);
      if (history === undefined) return false;
      const histories = createHistories(db);
      const touched = new Map<string, FindingsOf>();
      forgetLate(db, history);
      readOn(db, histories, history, endOf(db, history), bySubject.get(history.subject) ?? [], context, touched);
      writeFindings(db, histories, touched, context);
      return true;
    },
  };
}

function takeIn(item: StreamItem, histories: Histories, { masters }: FollowerContext): void {
  if (item.stream !== "log" || item.type !== "event" || item.event === null || histories.has(item.hash)) return;
  const seen = observe(item as LogItem & { event: NonNullable<LogItem["event"]> }, masters);
  histories.put(seen, item.position);
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

/**
 * Reads one history on from its end, or, where something came late or went, again from the last kept states before that
 * place. Leaves the detectors' states at its end.
 */
function readOn(
  db: DatabaseSync,
  histories: Histories,
  history: ChangedHistory,
  end: End | undefined,
  detectors: readonly Detector[],
  context: FollowerContext,
  touched: Map<string, FindingsOf>,
): void {
  const { subject, who, fromKey } = history;
  const isLate = end !== undefined && end.key >= fromKey;
  const start = isLate ? keptBefore(db, history) : statesAt(db, history, end);
  const { states } = start;
  const before = isLate ? new Map(detectors.map((detector) => [detector, rewind(db, detector, who, start.key)])) : null;
  const rows = isLate ? histories.after(subject, who, start.key) : histories.added(history);
  const told = new Set<Detector>();
  let { key, steps } = start;
  for (const { key: here, seen } of rows) {
    key = here;
    steps += 1;
    for (const detector of detectors) {
      if (detector.facts !== undefined && (seen.fact === null || !detector.facts.includes(seen.fact.kind))) continue;
      const step = detector.step(states.of(detector), seen, context);
      states.set(detector, step.state);
      if (writeStep(db, detector, who, key, step)) told.add(detector);
    }
    if (steps % KEEP_EVERY === 0) keep(db, history, key, steps, states.text());
  }
  if (isLate || steps > start.steps) writeEnd(db, history, key, steps);
  states.write(db, history);
  for (const detector of detectors) {
    const stood = before?.get(detector) ?? nothing;
    const stands = isLate || told.has(detector) ? standingAfter(db, detector, who, start.key) : nothing;
    if (stood.size + stands.size > 0) touched.set(`${detector.name} ${who}`, { before: stood, after: stands });
  }
}

const nothing: ReadonlyMap<string, StandingFinding> = new Map();

/** Takes back what one detector found behind a place. Answers the findings that stood there. */
function rewind(db: DatabaseSync, detector: Detector, who: string, startKey: string) {
  const { name } = detector;
  const before = standingAfter(db, detector, who, startKey);
  prepared(db, "delete from finding where detector = ? and who = ? and made_at > ?").run(name, who, startKey);
  prepared(
    db,
    "update finding set withdrawn_at = null where detector = ? and who = ? and made_at <= ? and withdrawn_at > ?",
  ).run(name, who, startKey, startKey);
  return before;
}

/** Answers whether there was anything to write. */
function writeStep(
  db: DatabaseSync,
  detector: Detector,
  who: string,
  key: string,
  { withdraw = [], findings = [] }: ReturnType<Detector["step"]>,
): boolean {
  const { name } = detector;
  for (const hash of withdraw) {
    prepared(
      db,
      "update finding set withdrawn_at = ? where detector = ? and who = ? and hash = ? and withdrawn_at is null",
    ).run(key, name, who, hash);
  }
  for (const found of findings) {
    const stands = prepared(db, "select 1 from finding where hash = ? and detector = ? and withdrawn_at is null").get(
      found.event.hash,
      name,
    );
    if (stands === undefined) insertFinding(db, detector, who, key, found);
  }
  return withdraw.length + findings.length > 0;
}
