import { DatabaseSync } from "node:sqlite";
import path from "node:path";
import { CannotStart } from "../stop-reasons.ts";
import { primaryCode, SQLITE_BUSY, SQLITE_CORRUPT, SQLITE_NOTADB } from "./sqlite-codes.ts";

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

/** A connection that can only read, for anyone. Readers never block the writer. */
export function openForReading(dataDir: string): DatabaseSync {
  return new DatabaseSync(databaseFile(dataDir), { readOnly: true, timeout: 5_000 });
}

/** Opens, and says where a database that another program holds, or that is none, is in the way. Other faults are the disk's. */
export function opening<T>(dataDir: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const code = primaryCode(error);
    if (code === SQLITE_BUSY) throw new CannotStart("database.busy", databaseFile(dataDir));
    if (code !== SQLITE_CORRUPT && code !== SQLITE_NOTADB) throw error;
    throw new CannotStart("database.damaged", `${databaseFile(dataDir)}: ${(error as Error).message}.`);
  }
}
