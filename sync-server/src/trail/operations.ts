import type { Transaction } from "../database/transaction.ts";
import { notAdmission, unplaced } from "./reader.ts";
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
-- A placed event's own row is found through the log: its id is kept there, and another entry for each order, at a random
-- place of another index, would cost a page each time. So only what is about something else, and what got no place, is here.
create index if not exists trail_other on trail (item) where item is not null and ${notAdmission};
create index if not exists trail_unplaced on trail (item) where ${unplaced};
create index if not exists trail_admitted on trail (log_head) where topic = 'admission';
drop index if exists trail_item;
create index if not exists trail_topic on trail (topic) where item is null;
`;

export const operations = {
  /** Notes rows that belong to no other write. */
  note: (tx: Transaction, input: { rows: readonly TrailNote[] }) => {
    for (const row of input.rows) tx.note(row);
  },
};
