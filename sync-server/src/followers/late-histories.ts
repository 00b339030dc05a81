import type { DatabaseSync } from "node:sqlite";
import type { ChangedHistory } from "./histories.ts";
import { prepared } from "./prepared.ts";

/** Histories that are to be read again, from where. */
export const lateTable = `
create table if not exists history_late (
  subject text not null,
  who text not null,
  from_key text not null,
  rows integer not null,
  primary key (subject, who)
) strict, without rowid;
`;

/** So many observations are read again at once. */
const SHORT = 400;
/** What is longer waits until at least one in so many of it came late: each is then read again so often at the most. */
const READS = 4;

interface LateRow {
  subject: string;
  who: string;
  from_key: string;
  rows: number;
}

const historyOf = ({ subject, who, from_key: fromKey, rows }: LateRow): ChangedHistory => ({
  subject,
  who,
  fromKey,
  rows,
  added: new Map(),
});

export function oldestLate(db: DatabaseSync): ChangedHistory | undefined {
  const row = prepared(db, "select * from history_late limit 1").get() as unknown as LateRow | undefined;
  return row === undefined ? undefined : historyOf(row);
}

/** A page's change of a history together with what waits of it. */
export function withLate(db: DatabaseSync, changed: ChangedHistory): ChangedHistory {
  const row = prepared(db, "select * from history_late where subject = ? and who = ?").get(
    changed.subject,
    changed.who,
  ) as unknown as LateRow | undefined;
  if (row === undefined) return changed;
  const fromKey = row.from_key < changed.fromKey ? row.from_key : changed.fromKey;
  return { ...changed, fromKey, rows: changed.rows + row.rows };
}

/** Answers whether a change before the end of a history may wait, and remembers it then; forgets it where it may not. */
export function mayWait(db: DatabaseSync, history: ChangedHistory, endSteps: number): boolean {
  const { subject, who, fromKey, rows } = history;
  const kept = prepared(
    db,
    "select steps from history_kept where subject = ? and who = ? and order_key < ? order by order_key desc limit 1",
  ).get(subject, who, fromKey) as { steps: number } | undefined;
  const again = endSteps - (kept?.steps ?? 0);
  if (again <= SHORT || rows * READS >= again) {
    forgetLate(db, history);
    return false;
  }
  prepared(db, "insert or replace into history_late (subject, who, from_key, rows) values (?, ?, ?, ?)").run(
    subject,
    who,
    fromKey,
    rows,
  );
  return true;
}

export function forgetLate(db: DatabaseSync, { subject, who }: ChangedHistory): void {
  prepared(db, "delete from history_late where subject = ? and who = ?").run(subject, who);
}
