import { existsSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import path from "node:path";
import { openFileForReading } from "../database/connection.ts";
import { primaryCode, SQLITE_CORRUPT, SQLITE_NOTADB } from "../database/sqlite-codes.ts";

export const followersFile = (dataDir: string) => path.join(dataDir, "followers.sqlite");

/** The log is folded into the file when it has this many pages (16 MiB): a page that many orders touch is written once. */
const WAL_PAGES = 4_096;
/** Pages kept in memory. With SQLite's 2 MB a round's pages are thrown out before its commit, and read again. */
const CACHE_KIB = 8_192;

const tables = `
create table if not exists follower (
  name text primary key,
  version integer not null,
  position integer not null,
  last_hash text not null,
  failures integer not null,
  retry_at_ms integer not null,
  failing_since text,
  error text
) strict;
create table if not exists followed_term (
  one integer primary key check (one = 1),
  term text not null
) strict;
create table if not exists outgoing_note (
  number integer primary key,
  key text not null unique,
  row text not null
) strict;
`;

/**
 * What followers make is their own database: it can be deleted at any time and is made again from the streams. A cursor
 * and what was made of the rows before it are always of one transaction, so `normal` is enough: a power cut may take
 * back the last pages, never a part of one.
 */
export function openFollowers(dataDir: string): DatabaseSync {
  const db = new DatabaseSync(followersFile(dataDir), { timeout: 5_000 });
  db.exec("pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 5000");
  db.exec(`pragma wal_autocheckpoint = ${WAL_PAGES}; pragma cache_size = -${CACHE_KIB}`);
  db.exec(tables);
  return db;
}

/**
 * The same, and where the file is damaged, an empty one in its place: what it held is made again from the streams, which
 * is safer than to go on from half of it.
 */
export function openSoundFollowers(dataDir: string, damaged: (reason: string) => void): DatabaseSync {
  let db: DatabaseSync | null = null;
  try {
    db = openFollowers(dataDir);
    const { quick_check: check } = db.prepare("pragma quick_check(1)").get() as { quick_check: string };
    if (check === "ok") return db;
    damaged(check);
  } catch (error) {
    if (!isDamage(error)) throw error;
    damaged(String(error));
  }
  db?.close();
  removeFollowers(dataDir);
  return openFollowers(dataDir);
}

/** Throws everything away that followers made; it is made again from the streams. Nobody may have the database open. */
export function removeFollowers(dataDir: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${followersFile(dataDir)}${suffix}`, { force: true });
}

function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** Null where it is not there, or damaged: a relay that starts makes it again. */
export function openFollowersForReading(dataDir: string): DatabaseSync | null {
  if (!existsSync(followersFile(dataDir))) return null;
  try {
    return openFileForReading(followersFile(dataDir));
  } catch (error) {
    if (isDamage(error)) return null;
    throw error;
  }
}
