import type { DatabaseSync } from "node:sqlite";
import type { Detector } from "../anomalies/detector.ts";
import type { ChangedHistory } from "./histories.ts";
import { prepared } from "./prepared.ts";

export const stateTables = `
create table if not exists history_end (
  subject text not null,
  who text not null,
  order_key text not null,
  steps integer not null,
  primary key (subject, who)
) strict, without rowid;
create table if not exists history_state (
  subject text not null,
  who text not null,
  detector text not null,
  state text not null,
  primary key (subject, who, detector)
) strict, without rowid;
create table if not exists history_kept (
  subject text not null,
  who text not null,
  order_key text not null,
  steps integer not null,
  states text not null,
  primary key (subject, who, order_key)
) strict, without rowid;
`;

/** A place in a history, and the detectors' states there. `key` is empty and `steps` 0 before its first observation. */
export interface Place {
  readonly key: string;
  readonly steps: number;
  readonly states: States;
}

/** States by detector. One is parsed when it is asked for, and written when it has changed. */
export interface States {
  of(detector: Detector): unknown;
  set(detector: Pick<Detector, "name">, state: unknown): void;
  /** All of them as JSON, the same text for the same states. */
  text(): string;
  /** Makes them the ones at the history's end. */
  write(db: DatabaseSync, history: ChangedHistory): void;
}

/** Up to where a history has been read. */
export interface End {
  readonly key: string;
  readonly steps: number;
}

export function endOf(db: DatabaseSync, { subject, who }: ChangedHistory): End | undefined {
  return prepared(db, "select order_key as key, steps from history_end where subject = ? and who = ?").get(
    subject,
    who,
  ) as End | undefined;
}

/** The states at the end of a history. */
export function statesAt(db: DatabaseSync, { subject, who }: ChangedHistory, end: End | undefined): Place {
  if (end === undefined) return { key: "", steps: 0, states: createStates(new Map()) };
  const rows = prepared(db, "select detector, state from history_state where subject = ? and who = ?").all(
    subject,
    who,
  ) as { detector: string; state: string }[];
  return { ...end, states: createStates(new Map(rows.map(({ detector, state }) => [detector, state]))) };
}

/** The last kept place before the one where something changed. Those behind it are forgotten, and the end with them. */
export function keptBefore(db: DatabaseSync, { subject, who, fromKey }: ChangedHistory): Place {
  prepared(db, "delete from history_kept where subject = ? and who = ? and order_key >= ?").run(subject, who, fromKey);
  prepared(db, "delete from history_state where subject = ? and who = ?").run(subject, who);
  const kept = prepared(
    db,
    "select order_key, steps, states from history_kept where subject = ? and who = ? order by order_key desc limit 1",
  ).get(subject, who) as { order_key: string; steps: number; states: string } | undefined;
  if (kept === undefined) return { key: "", steps: 0, states: createStates(new Map()) };
  const states = createStates(new Map());
  for (const [name, state] of Object.entries(JSON.parse(kept.states) as Record<string, unknown>)) {
    states.set({ name }, state);
  }
  return { key: kept.order_key, steps: kept.steps, states };
}

export function keep(
  db: DatabaseSync,
  { subject, who }: ChangedHistory,
  key: string,
  steps: number,
  states: string,
): void {
  prepared(
    db,
    "insert or replace into history_kept (subject, who, order_key, steps, states) values (?, ?, ?, ?, ?)",
  ).run(subject, who, key, steps, states);
}

/** A history that nothing is left of has no end. */
export function writeEnd(db: DatabaseSync, { subject, who }: ChangedHistory, key: string, steps: number): void {
  if (steps === 0) prepared(db, "delete from history_end where subject = ? and who = ?").run(subject, who);
  else {
    prepared(db, "insert or replace into history_end (subject, who, order_key, steps) values (?, ?, ?, ?)").run(
      subject,
      who,
      key,
      steps,
    );
  }
}

/** `stored` are the texts that stand at the history's end. */
function createStates(stored: ReadonlyMap<string, string>): States {
  const parsed = new Map<string, unknown>();
  const current = new Map<string, unknown>();
  return {
    of: (detector) => {
      const { name } = detector;
      if (current.has(name)) return current.get(name);
      const text = stored.get(name);
      const state = text === undefined ? detector.start() : (JSON.parse(text) as unknown);
      if (text !== undefined) parsed.set(name, state);
      current.set(name, state);
      return state;
    },
    set: ({ name }, state) => void current.set(name, state),
    text: () => {
      const texts = new Map(stored);
      for (const [name, state] of current) texts.set(name, JSON.stringify(state));
      const fields = [...texts].map(([name, text]) => `${JSON.stringify(name)}:${text}`);
      return `{${fields.toSorted().join(",")}}`;
    },
    write: (db, { subject, who }) => {
      for (const [name, state] of current) {
        // The very object that was read is what stands there already.
        if (parsed.has(name) && parsed.get(name) === state) continue;
        const text = JSON.stringify(state);
        if (text === stored.get(name)) continue;
        prepared(db, "insert or replace into history_state (subject, who, detector, state) values (?, ?, ?, ?)").run(
          subject,
          who,
          name,
          text,
        );
      }
    },
  };
}
