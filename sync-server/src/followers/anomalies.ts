import type { Consequence } from "@sampai/engine";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Detector } from "../anomalies/detector.ts";
import { detectors as allDetectors } from "../anomalies/index.ts";
import { observe, type Observation } from "../anomalies/observation.ts";
import { writeFindings } from "./findings.ts";
import type { Follower, FollowerContext, LogItem, StreamItem } from "./follower.ts";
import { misdated } from "./misdated.ts";

const tables = `
create table if not exists observation (
  hash text primary key,
  boot text not null,
  ms integer not null,
  sent_ms real not null,
  tick real not null,
  wall_offset real not null,
  anchor_offset real,
  position integer not null,
  data text not null
) strict, without rowid;
create index if not exists observation_time on observation (boot, sent_ms, tick, ms);
create index if not exists observation_wall on observation (boot, wall_offset);
create index if not exists observation_anchor on observation (boot, anchor_offset) where anchor_offset is not null;
create table if not exists history (
  subject text not null,
  who text not null,
  order_key text not null,
  hash text not null,
  primary key (subject, who, order_key)
) strict, without rowid;
create table if not exists history_state (
  detector text not null,
  who text not null,
  order_key text not null,
  steps integer not null,
  kept integer not null,
  state text not null,
  primary key (detector, who, order_key)
) strict, without rowid;
create table if not exists finding (
  hash text not null,
  detector text not null,
  made_at text not null,
  version integer not null,
  id text not null,
  who text not null,
  consequence text not null,
  evidence text not null,
  sentence text not null,
  withdrawn_at text,
  primary key (hash, detector, made_at)
) strict, without rowid;
create index if not exists finding_made on finding (detector, who, made_at);
create index if not exists finding_id on finding (id);
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
    prepare: (db) => db.exec(tables),
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

/** Findings of one detector that may have changed: those that stood before, and those that stand now. */
export interface FindingsOf {
  readonly before: ReadonlyMap<string, StandingFinding>;
  readonly after: ReadonlyMap<string, StandingFinding>;
}

export interface StandingFinding {
  readonly hash: string;
  readonly id: string;
  readonly detector: string;
  readonly version: number;
  readonly sentence: string;
  readonly consequence: Consequence;
}

export type Histories = ReturnType<typeof createHistories>;

function createHistories(db: DatabaseSync) {
  const statements = new Map<string, StatementSync>();
  const sql = (text: string) => {
    const statement = statements.get(text) ?? db.prepare(text);
    statements.set(text, statement);
    return statement;
  };
  const cache = new Map<string, Observation>();
  const boots = new Set<string>();
  const dirty = new Map<string, { subject: string; who: string; fromKey: string }>();
  const touch = (subject: string, who: string, key: string) => {
    const name = `${subject} ${who}`;
    const known = dirty.get(name);
    if (known === undefined || key < known.fromKey) dirty.set(name, { subject, who, fromKey: key });
  };
  const addTo = (subject: string, who: string | null, seen: Observation) => {
    if (who === null) return;
    const key = orderKey(subject, seen);
    sql("insert into history (subject, who, order_key, hash) values (?, ?, ?, ?)").run(subject, who, key, seen.hash);
    touch(subject, who, key);
  };
  const removeFrom = (subject: string, who: string | null, seen: Observation) => {
    if (who === null) return;
    const key = orderKey(subject, seen);
    sql("delete from history where subject = ? and who = ? and order_key = ?").run(subject, who, key);
    touch(subject, who, key);
  };
  const enterTimed = (seen: Observation, how: typeof addTo) => {
    how("picture", seen.fact?.kind === "photoCaptured" ? seen.fact.body.sha256 : null, seen);
    how("rep", seen.rep, seen);
    how("store", seen.store, seen);
  };
  const observation = (hash: string): Observation => {
    const known = cache.get(hash);
    if (known !== undefined) return known;
    const { data, ms } = sql("select data, ms from observation where hash = ?").get(hash) as {
      data: string;
      ms: number;
    };
    const seen = { ...(JSON.parse(data) as Observation), ms };
    cache.set(hash, seen);
    return seen;
  };
  return {
    sql,
    fresh: new Set<string>(),
    boots,
    dirty: () => dirty.values(),
    observation,
    has: (hash: string) => sql("select 1 from observation where hash = ?").get(hash) !== undefined,
    put: (seen: Observation, position: number) => {
      const boot = bootOf(seen);
      const { tick, wallMs, anchorOffsetMs } = seen.clock;
      sql(
        `insert into observation (hash, boot, ms, sent_ms, tick, wall_offset, anchor_offset, position, data)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(seen.hash, boot, seen.ms, seen.ms, tick, wallMs - tick, anchorOffsetMs, position, JSON.stringify(seen));
      boots.add(boot);
      cache.set(seen.hash, seen);
      addTo("boot", boot, seen);
      enterTimed(seen, addTo);
    },
    /** Times of a boot, corrected anew now that it has more observations; whatever moves is read again where it was and is. */
    retimeBoot: (boot: string) => {
      for (const { hash, ms } of misdated(sql, boot)) {
        enterTimed(observation(hash), removeFrom);
        const moved = { ...observation(hash), ms };
        cache.set(hash, moved);
        sql("update observation set ms = ? where hash = ?").run(ms, hash);
        enterTimed(moved, addTo);
      }
    },
  };
}

function takeIn(item: StreamItem, histories: Histories, { masters }: FollowerContext): void {
  if (item.stream !== "log" || item.type !== "event" || item.event === null || histories.has(item.hash)) return;
  const seen = observe(item as LogItem & { event: NonNullable<LogItem["event"]> }, masters);
  histories.put(seen, item.position);
  histories.fresh.add(item.hash);
}

const bootOf = ({ device, clock }: Observation) => `${device} ${clock.boot}`;

/** Text that sorts as capture order does. Impossible times sort first or last, and stay in the history. */
function orderKey(subject: string, { ms, clock, device, run, seq, hash }: Observation): string {
  const time = subject === "boot" ? clock.tick : ms;
  const padded = Math.round(Math.min(Math.max(Number.isNaN(time) ? 0 : time, 0), 1e15 - 1))
    .toString()
    .padStart(15, "0");
  return [padded, device, run, seq.toString().padStart(9, "0"), hash].join("|");
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

/** The findings that stand now and that reading on from `startKey` may change. */
function standingAfter(
  sql: (text: string) => StatementSync,
  detector: Detector,
  who: string,
  startKey: string,
): Map<string, StandingFinding> {
  const rows = sql(
    `select hash, id, sentence, consequence from finding
       where detector = ? and who = ? and withdrawn_at is null and made_at > ?`,
  ).all(detector.name, who, startKey) as unknown as {
    hash: string;
    id: string;
    sentence: string;
    consequence: string | null;
  }[];
  return new Map(
    rows.map(({ hash, id, sentence, consequence }) => [
      hash,
      {
        hash,
        id,
        sentence,
        detector: detector.name,
        version: detector.version,
        consequence: (consequence as Consequence | null) ?? detector.consequence,
      },
    ]),
  );
}

type Found = NonNullable<ReturnType<Detector["step"]>["findings"]>[number];

function standing(detector: Detector, found: Found): StandingFinding {
  return {
    hash: found.event.hash,
    id: found.event.id,
    detector: detector.name,
    version: detector.version,
    sentence: detector.sentence(found.evidence),
    consequence: found.consequence ?? detector.consequence,
  };
}

function insertFinding(db: DatabaseSync, detector: Detector, who: string, key: string, found: Found): void {
  db.prepare(
    `insert into finding (hash, detector, made_at, version, id, who, consequence, evidence, sentence, withdrawn_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, null)`,
  ).run(
    found.event.hash,
    detector.name,
    key,
    detector.version,
    found.event.id,
    who,
    found.consequence ?? detector.consequence,
    JSON.stringify(found.evidence),
    detector.sentence(found.evidence),
  );
}
