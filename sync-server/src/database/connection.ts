import { DatabaseSync } from "node:sqlite";
import path from "node:path";

export const databaseFile = (dataDir: string) => path.join(dataDir, "relay.sqlite");

const PAGE_BYTES = 4_096;
/** The log is folded into the file when it has this many pages (64 MiB): a page that many orders touch is written once. */
const WAL_PAGES = 16_384;
/** What the writer keeps of the file in memory, so that an index over years of orders is not read for each. */
const CACHE_KIB = 65_536;

/** The one connection that writes. Full synchronous: a commit that was answered survives a power cut. */
export function openForWriting(dataDir: string, maxBytes: number | null = null): DatabaseSync {
  const db = new DatabaseSync(databaseFile(dataDir), { timeout: 5_000 });
  db.exec(`pragma page_size = ${PAGE_BYTES}`);
  db.exec("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma busy_timeout = 5000");
  db.exec(`pragma wal_autocheckpoint = ${WAL_PAGES}; pragma cache_size = -${CACHE_KIB}`);
  if (maxBytes !== null) db.exec(`pragma max_page_count = ${Math.floor(maxBytes / PAGE_BYTES)}`);
  // After a crash the WAL can hold rows whose commit failed half way; only a completed checkpoint settles them.
  const checkpoint = db.prepare("pragma wal_checkpoint(truncate)").get() as { busy: number };
  if (checkpoint.busy !== 0) throw new Error("another process holds this relay's database open");
  return db;
}

/** A connection that can only read, for anyone. Readers never block the writer. */
export function openForReading(dataDir: string): DatabaseSync {
  return new DatabaseSync(databaseFile(dataDir), { readOnly: true, timeout: 5_000 });
}
