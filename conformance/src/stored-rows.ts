import { DatabaseSync } from "node:sqlite";

/** Which table or index each page of a database file belongs to. */
export interface PageMap {
  readonly pageBytes: number;
  /** By page number, from 1. Pages that belong to nothing are not in it. */
  readonly owners: ReadonlyMap<number, string>;
  readonly tables: ReadonlySet<string>;
}

/** One row as SQLite reads it. */
export interface StoredRow {
  /** The row's first column. */
  readonly name: string;
  /** Every column with its type, as text. */
  readonly content: string;
}

/** Maps a sound database file. */
export function mapPages(file: string): PageMap {
  return reading(file, (db) => {
    const { page_size: pageBytes } = db.prepare("pragma page_size").get() as { page_size: number };
    const pages = db.prepare("select pageno, name from dbstat").all() as { pageno: number; name: string }[];
    const tables = db.prepare("select name from sqlite_schema where type = 'table'").all() as { name: string }[];
    return {
      pageBytes,
      owners: new Map(pages.map(({ pageno, name }) => [pageno, name])),
      tables: new Set(tables.map(({ name }) => name)),
    };
  });
}

/** All rows of a table in its own order, without any index; null where SQLite cannot read it to its end. */
export function readRows(file: string, table: string): readonly StoredRow[] | null {
  try {
    return reading(file, (db) => {
      const rows: StoredRow[] = [];
      const statement = db.prepare(`select * from "${table}" not indexed`);
      statement.setReturnArrays(true);
      statement.setReadBigInts(true);
      for (const columns of statement.iterate() as unknown as Iterable<readonly Column[]>) {
        rows.push({ name: String(columns[0]), content: columns.map(textOf).join("\n") });
      }
      return rows;
    });
  } catch (error) {
    if ((error as { errcode?: unknown }).errcode === undefined) throw error;
    return null;
  }
}

type Column = string | number | bigint | Uint8Array | null;

function textOf(column: Column): string {
  if (column instanceof Uint8Array) return `blob ${Buffer.from(column).toString("latin1")}`;
  return column === null ? "null" : `${typeof column} ${column}`;
}

function reading<T>(file: string, read: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
}
