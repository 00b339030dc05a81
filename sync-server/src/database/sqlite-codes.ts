/** Primary result codes of SQLite that something here acts on (https://sqlite.org/rescode.html). */
export const SQLITE_BUSY = 5;
export const SQLITE_READONLY = 8;
export const SQLITE_CORRUPT = 11;
export const SQLITE_FULL = 13;
export const SQLITE_CANTOPEN = 14;
export const SQLITE_CONSTRAINT = 19;
export const SQLITE_NOTADB = 26;

/** The primary code of an error that SQLite threw; null for all others. */
export function primaryCode(error: unknown): number | null {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" ? code & 0xff : null;
}
