import { rangeHash } from "@sampai/engine/proof";
import type { DatabaseSync } from "node:sqlite";
import { sqlOf, type Sql } from "../database/sql.ts";
import { subtreesOf } from "../proof/tiles.ts";
import type { RaisedTerm, TermLog, Voided } from "./term-log.ts";
import { numberOf } from "./terms.ts";

export const termTables = `
create table if not exists term (
  number integer primary key,
  id text not null unique,
  started text not null
) strict;
-- One row for each term but the first: the log came back shorter than it was known to be.
create table if not exists new_term (
  term text primary key,
  number integer not null,
  restored integer not null,
  diverged integer not null,
  dead text not null,
  cause text not null,
  at text not null
) strict;
create table if not exists known_size (
  term text primary key,
  size integer not null
) strict;
-- Kept also when the log that held the term is gone.
create table if not exists term_began (
  term text primary key,
  position integer not null
) strict;
-- What devices hold receipts for at positions that were lost.
create table if not exists voided (
  term text not null,
  position integer not null,
  hash text not null,
  device text not null,
  primary key (term, position, device)
) strict, without rowid;
create table if not exists verified_backup (
  term text not null,
  position integer not null,
  at text not null
) strict;
`;

/** The terms of a database that is only read. */
export const readerTerms = (db: DatabaseSync): TermLog => sqliteTerms({ sql: sqlOf(db), now: "" });

/** The terms in SQLite, of a reader or inside the writer's transaction; `now` is written with what begins. */
export function sqliteTerms({ sql, now }: { readonly sql: Sql; readonly now: string }): TermLog {
  const position = (row: unknown): number | undefined =>
    (row as { position: number | null } | undefined)?.position ?? undefined;
  return {
    terms: () => (sql("select id from term order by number").all() as { id: string }[]).map(({ id }) => id),
    begin: (term) => {
      sql("insert into term (number, id, started) values (?, ?, ?)").run(numberOf(term), term, now);
    },
    raised: () =>
      sql(
        "select term, restored, diverged, dead, cause, at from new_term order by number",
      ).all() as unknown as RaisedTerm[],
    noteRaised: ({ term, restored, diverged, dead, cause, at }) => {
      sql("insert into new_term (term, number, restored, diverged, dead, cause, at) values (?, ?, ?, ?, ?, ?, ?)").run(
        term,
        numberOf(term),
        restored,
        diverged,
        dead,
        cause,
        at,
      );
    },
    knownSizes: () => {
      const rows = sql("select term, size from known_size order by term").all() as { term: string; size: number }[];
      return new Map(rows.map(({ term, size }) => [term, size]));
    },
    noteKnownSize: (term, size) => {
      sql(
        `insert into known_size (term, size) values (?, ?)
           on conflict (term) do update set size = excluded.size where excluded.size > known_size.size`,
      ).run(term, size);
    },
    beginnings: () => {
      const rows = sql("select term, position from term_began order by term").all() as {
        term: string;
        position: number;
      }[];
      return new Map(rows.map((row) => [row.term, row.position]));
    },
    noteBeginning: (term, began) => {
      sql("insert or ignore into term_began (term, position) values (?, ?)").run(term, began);
    },

    startOf: (nonce) =>
      position(sql("select position from log where device = '' and run = ? and seq = 0 and type = 'start'").get(nonce)),
    startAfter: (from) =>
      position(sql("select min(position) as position from log where type = 'start' and position > ?").get(from)),
    lastStart: () => position(sql("select max(position) as position from log where type = 'start'").get()),

    rootOver: (size) => {
      const tree = sql("select max(size) as size from checkpoint").get() as { size: number | null };
      if (size > (tree.size ?? 0)) return undefined;
      const tile = sql("select hashes from tile where level = ? and idx = ?");
      const reader = {
        tile: (level: number, index: number) => (tile.get(level, index) as { hashes: Uint8Array } | undefined)?.hashes,
      };
      return rangeHash(0, size, subtreesOf(reader));
    },
    newestTree: () =>
      sql("select size, root from checkpoint order by size desc, at desc limit 1").get() as
        | { size: number; root: Uint8Array }
        | undefined,

    noteVoided: ({ term, position: at, hash, device }) => {
      sql("insert or ignore into voided (term, position, hash, device) values (?, ?, ?, ?)").run(
        term,
        at,
        hash,
        device,
      );
    },
    voided: (term, from) =>
      sql(
        `select voided.position, voided.device, min(log.position) as now from voided
           left join log on log.device = voided.device and log.hash = voided.hash and log.type = 'event'
           where voided.term = ? and voided.position >= ? group by voided.position order by voided.position`,
      ).all(term, from) as unknown as Voided[],
  };
}
