import type { Transaction } from "../database/transaction.ts";
import type { Tile } from "./tiles.ts";

export const tables = `
create table if not exists tile (
  level integer not null,
  idx integer not null,
  hashes blob not null,
  primary key (level, idx)
) strict, without rowid;
create table if not exists checkpoint (
  size integer not null,
  term text not null,
  root blob not null,
  note text not null,
  at text not null,
  primary key (size, term)
) strict, without rowid;
`;

export interface KeepTreeInput {
  /** Leaves that the tiles held before. */
  readonly from: number;
  readonly tiles: readonly Tile[];
  readonly checkpoint: {
    readonly size: number;
    readonly term: string;
    readonly root: Uint8Array;
    readonly note: string;
  };
}

export const operations = {
  /** Stores grown tiles and the checkpoint over them. Answers false where the tree has moved on meanwhile. */
  keepTree: (tx: Transaction, input: KeepTreeInput): boolean => {
    const { size } = tx.sql("select coalesce(max(size), 0) as size from checkpoint").get() as { size: number };
    if (size !== input.from) return false;
    const put = tx.sql(
      `insert into tile (level, idx, hashes) values (?, ?, ?)
         on conflict (level, idx) do update set hashes = excluded.hashes`,
    );
    for (const { level, index, hashes } of input.tiles) put.run(level, index, hashes);
    const { checkpoint } = input;
    tx.sql("insert or replace into checkpoint (size, term, root, note, at) values (?, ?, ?, ?, ?)").run(
      checkpoint.size,
      checkpoint.term,
      checkpoint.root,
      checkpoint.note,
      tx.now,
    );
    return true;
  },
};
