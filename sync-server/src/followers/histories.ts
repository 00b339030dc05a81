import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Observation } from "../anomalies/observation.ts";
import { misdated } from "./misdated.ts";

export const historyTables = `
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
`;

export type Histories = ReturnType<typeof createHistories>;

/** The histories of each boot, picture, person and store, in capture order, and what a page changed in them. */
export function createHistories(db: DatabaseSync) {
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

const bootOf = ({ device, clock }: Observation) => `${device} ${clock.boot}`;

/** Text that sorts as capture order does. Impossible times sort first or last, and stay in the history. */
function orderKey(subject: string, { ms, clock, device, run, seq, hash }: Observation): string {
  const time = subject === "boot" ? clock.tick : ms;
  const padded = Math.round(Math.min(Math.max(Number.isNaN(time) ? 0 : time, 0), 1e15 - 1))
    .toString()
    .padStart(15, "0");
  return [padded, device, run, seq.toString().padStart(9, "0"), hash].join("|");
}
