import type { DatabaseSync } from "node:sqlite";
import { CLOCK_TOLERANCE_MS } from "../anomalies/clock-jump.ts";
import type { Observation } from "../anomalies/observation.ts";
import { misdated } from "./misdated.ts";
import { prepared } from "./prepared.ts";

export const historyTables = `
create table if not exists observation (
  position integer primary key,
  hash text not null unique,
  ms integer not null,
  sent_ms real not null,
  tick real not null,
  wall_offset real not null,
  anchor_offset real,
  data text not null
) strict;
create table if not exists boot_offset (
  boot text primary key,
  least real not null,
  most real not null
) strict, without rowid;
create table if not exists history (
  subject text not null,
  who text not null,
  order_key text not null,
  position integer not null,
  primary key (subject, who, order_key)
) strict, without rowid;
`;

export type Histories = ReturnType<typeof createHistories>;

/** What a page changed in one history. */
export interface ChangedHistory {
  readonly subject: string;
  readonly who: string;
  /** The first place where something came or went. */
  readonly fromKey: string;
  /** How many came or went. */
  readonly rows: number;
  /** Positions that came, by their place. */
  readonly added: ReadonlyMap<string, number>;
}

/** Observations of a history that are in memory at once, however far back it is read again. */
const ROWS = 500;

/** The histories of each boot, picture, person and store, in capture order, and what a page changed in them. */
export function createHistories(db: DatabaseSync) {
  const fresh = new Map<string, number>();
  const cache = new Map<number, Observation>();
  const boots = new Map<string, { least: number; most: number }>();
  const changed = new Map<string, Changing>();
  const touch = (subject: string, who: string, key: string) => {
    const name = `${subject} ${who}`;
    const known: Changing = changed.get(name) ?? { subject, who, fromKey: key, rows: 0, added: new Map() };
    changed.set(name, known);
    if (key < known.fromKey) known.fromKey = key;
    known.rows += 1;
    return known;
  };
  const addTo = (subject: string, who: string | null, key: string, position: number) => {
    if (who === null) return;
    prepared(db, "insert into history (subject, who, order_key, position) values (?, ?, ?, ?)").run(
      subject,
      who,
      key,
      position,
    );
    touch(subject, who, key).added.set(key, position);
  };
  const removeFrom = (subject: string, who: string | null, key: string) => {
    if (who === null) return;
    prepared(db, "delete from history where subject = ? and who = ? and order_key = ?").run(subject, who, key);
    touch(subject, who, key).added.delete(key);
  };
  const enterTimed = (seen: Observation, position: number, how: typeof addTo) => {
    const key = orderKey(seen.ms, seen);
    how("picture", seen.fact?.kind === "photoCaptured" ? seen.fact.body.sha256 : null, key, position);
    how("rep", seen.rep, key, position);
    how("store", seen.store, key, position);
  };
  const at = (position: number): Observation => {
    const known = cache.get(position);
    if (known !== undefined) return known;
    const row = prepared(db, "select data, ms from observation where position = ?").get(position);
    const seen = readObservation(row as unknown as StoredObservation);
    cache.set(position, seen);
    return seen;
  };
  /** Answers whether all times of the boot agree with each other within the tolerance, whichever of them is believed. */
  const isSteady = (boot: string, { least, most }: { readonly least: number; readonly most: number }): boolean => {
    const known = prepared(db, "select least, most from boot_offset where boot = ?").get(boot) as
      | { least: number; most: number }
      | undefined;
    const from = Math.min(least, known?.least ?? least);
    const to = Math.max(most, known?.most ?? most);
    if (from !== known?.least || to !== known.most) {
      prepared(db, "insert or replace into boot_offset (boot, least, most) values (?, ?, ?)").run(boot, from, to);
    }
    // One below, for what is lost in rounding.
    return to - from < CLOCK_TOLERANCE_MS - 1;
  };
  return {
    fresh,
    changed: (): IterableIterator<ChangedHistory> => changed.values(),
    observation: (hash: string): Observation => {
      const known = fresh.get(hash);
      if (known !== undefined) return at(known);
      const row = prepared(db, "select position from observation where hash = ?").get(hash);
      return at((row as { position: number }).position);
    },
    has: (hash: string) =>
      fresh.has(hash) || prepared(db, "select 1 from observation where hash = ?").get(hash) !== undefined,
    put: (seen: Observation, position: number) => {
      const boot = bootOf(seen);
      const { tick, wallMs, anchorOffsetMs } = seen.clock;
      prepared(
        db,
        `insert into observation (position, hash, ms, sent_ms, tick, wall_offset, anchor_offset, data)
           values (?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(position, seen.hash, seen.ms, seen.ms, tick, wallMs - tick, anchorOffsetMs, JSON.stringify(seen));
      fresh.set(seen.hash, position);
      cache.set(position, seen);
      const offsets = [wallMs - tick, seen.ms - tick, anchorOffsetMs ?? wallMs - tick];
      const known = boots.get(boot);
      boots.set(boot, {
        least: Math.min(...offsets, known?.least ?? Infinity),
        most: Math.max(...offsets, known?.most ?? -Infinity),
      });
      addTo("boot", boot, orderKey(tick, seen), position);
      enterTimed(seen, position, addTo);
    },
    /** Times of the page's boots, corrected anew now that there is more of them; what moves is read again where it was and is. */
    retime: () => {
      for (const [boot, offsets] of boots) {
        if (isSteady(boot, offsets)) continue;
        for (const { position, ms } of misdated(db, boot)) {
          const moved = { ...at(position), ms };
          enterTimed(at(position), position, removeFrom);
          cache.set(position, moved);
          prepared(db, "update observation set ms = ? where position = ?").run(ms, position);
          enterTimed(moved, position, addTo);
        }
      }
    },
    /** Observations of the page, in the order of their places. */
    added: ({ added }: ChangedHistory): { readonly key: string; readonly seen: Observation }[] =>
      [...added].map(([key, position]) => ({ key, seen: at(position) })).sort((a, b) => (a.key < b.key ? -1 : 1)),
    /** Every observation of a history behind a place, in order. */
    *after(subject: string, who: string, startKey: string): Generator<{ key: string; seen: Observation }> {
      let key = startKey;
      for (;;) {
        const rows = prepared(
          db,
          `select order_key, ms, data from history join observation on observation.position = history.position
            where subject = ? and who = ? and order_key > ? order by order_key limit ${ROWS}`,
        ).all(subject, who, key) as unknown as (StoredObservation & { order_key: string })[];
        for (const row of rows) {
          key = row.order_key;
          yield { key, seen: readObservation(row) };
        }
        if (rows.length < ROWS) return;
      }
    },
  };
}

type Changing = Omit<ChangedHistory, "fromKey" | "rows" | "added"> & {
  fromKey: string;
  rows: number;
  readonly added: Map<string, number>;
};

interface StoredObservation {
  readonly data: string;
  readonly ms: number;
}

function readObservation({ data, ms }: StoredObservation): Observation {
  return { ...(JSON.parse(data) as Observation), ms };
}

const bootOf = ({ device, clock }: Observation) => `${device} ${clock.boot}`;

/** Text that sorts as capture order does, `time` in milliseconds. Impossible times sort first or last, and stay in the history. */
function orderKey(time: number, { device, run, seq, hash }: Observation): string {
  const padded = Math.round(Math.min(Math.max(Number.isNaN(time) ? 0 : time, 0), 1e15 - 1))
    .toString()
    .padStart(15, "0");
  return [padded, device, run, seq.toString().padStart(9, "0"), hash].join("|");
}
