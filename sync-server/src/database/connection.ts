import { accessSync, constants, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { CannotStart } from "../stop-reasons.ts";
import {
  primaryCode,
  SQLITE_BUSY,
  SQLITE_CANTOPEN,
  SQLITE_CORRUPT,
  SQLITE_NOTADB,
  SQLITE_READONLY,
} from "./sqlite-codes.ts";

export const databaseFile = (dataDir: string) => path.join(dataDir, "relay.sqlite");

const PAGE_BYTES = 4_096;
/** The log is folded into the file when it has this many pages (64 MiB): a page that many orders touch is written once. */
const WAL_PAGES = 16_384;
/** What the writer keeps of the file in memory, so that an index over years of orders is not read for each. */
const CACHE_KIB = 16_384;

/** The one connection that writes. Full synchronous: a commit that was answered survives a power cut. Throws `CannotStart`. */
export function openForWriting(dataDir: string, maxBytes: number | null = null): DatabaseSync {
  const db = new DatabaseSync(databaseFile(dataDir), { timeout: 5_000 });
  db.exec(`pragma page_size = ${PAGE_BYTES}`);
  db.exec("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma busy_timeout = 5000");
  db.exec(`pragma wal_autocheckpoint = ${WAL_PAGES}; pragma cache_size = -${CACHE_KIB}`);
  if (maxBytes !== null) db.exec(`pragma max_page_count = ${Math.floor(maxBytes / PAGE_BYTES)}`);
  // After a crash the WAL can hold rows whose commit failed half way; only a completed checkpoint settles them.
  const checkpoint = db.prepare("pragma wal_checkpoint(truncate)").get() as { busy: number };
  if (checkpoint.busy !== 0) throw new CannotStart("database.busy", databaseFile(dataDir));
  return db;
}

/** A connection that can only read, for anyone. Readers never block the writer. Throws `CannotStart`. */
export function openForReading(dataDir: string): DatabaseSync {
  return openFileForReading(databaseFile(dataDir));
}

/**
 * The same for any database file. Evidence often lies where nothing can be written, and even a reader writes beside a
 * database that has a WAL: there it is read as a file that nobody changes.
 */
export function openFileForReading(file: string): DatabaseSync {
  try {
    return openedAndRead(file);
  } catch (error) {
    const code = primaryCode(error);
    if (code !== SQLITE_CANTOPEN && code !== SQLITE_READONLY) throw error;
    const unreadable = new CannotStart("database.unreadable", `${file}: ${(error as Error).message}.`);
    if (isWritable(path.dirname(file)) && isWritable(file)) throw unreadable;
    // What is in a WAL was committed: without it an older log would be taken for the whole.
    if (hasBytes(`${file}-wal`)) throw new CannotStart("database.unsettled", file);
    const unchanging = pathToFileURL(file);
    unchanging.searchParams.set("immutable", "1");
    try {
      return openedAndRead(unchanging);
    } catch (again) {
      throw primaryCode(again) === SQLITE_CANTOPEN ? unreadable : again;
    }
  }
}

// SQLite opens a file when it is first read.
function openedAndRead(file: string | URL): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    db.prepare("select 1 from sqlite_schema").get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isWritable(name: string): boolean {
  try {
    accessSync(name, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const hasBytes = (file: string) => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;

/** Opens, and says where a database that another program holds, or that is none, is in the way. Other faults are the disk's. */
export function opening<T>(dataDir: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw databaseInTheWay(error, databaseFile(dataDir)) ?? error;
  }
}

/** Why a database could not be used, where SQLite said that another program holds it or that it is damaged; else null. */
export function databaseInTheWay(error: unknown, file: string): CannotStart | null {
  const code = primaryCode(error);
  if (code === SQLITE_BUSY) return new CannotStart("database.busy", file);
  if (code !== SQLITE_CORRUPT && code !== SQLITE_NOTADB) return null;
  return new CannotStart("database.damaged", `${file}: ${(error as Error).message}.`);
}
