import type { Transaction } from "../database/transaction.ts";
import type { TrailNote } from "./trail.ts";

export const tables = `
create table if not exists trail (
  position integer primary key,
  at text not null,
  log_head integer not null,
  topic text not null,
  device text,
  item text,
  detail text not null,
  hash text not null
) strict;
create index if not exists trail_item on trail (item) where item is not null;
create index if not exists trail_topic on trail (topic) where item is null;
`;

export const operations = {
  /** Notes rows that belong to no other write. */
  note: (tx: Transaction, input: { rows: readonly TrailNote[] }) => {
    for (const row of input.rows) tx.note(row);
  },
};
