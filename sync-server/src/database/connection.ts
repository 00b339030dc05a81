import { DatabaseSync } from "node:sqlite";
import path from "node:path";

export const databaseFile = (dataDir: string) => path.join(dataDir, "relay.sqlite");

const PAGE_BYTES = 4_096;

/** The one connection that writes. Full synchronous: a commit that was answered survives a power cut. */
export function openForWriting(dataDir: string, maxBytes: number | null = null): DatabaseSync {
  const db = new DatabaseSync(databaseFile(dataDir), { timeout: 5_000 });
  db.exec(`pragma page_size = ${PAGE_BYTES}`);
  db.exec("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma busy_timeout = 5000");
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
