import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import path from "node:path";
import { CannotStart } from "../stop-reasons.ts";
import { primaryCode, SQLITE_BUSY } from "./sqlite-codes.ts";

// The garbage collector closes a database that nobody refers to any more, and its lock with it.
const held = new Set<DatabaseSync>();

const lockFile = (dataDir: string) => path.join(dataDir, "lock.sqlite");
/** Who only asks whether the folder is taken (`isLocked`) is in the way for less than a millisecond. */
const ASKED_MS = 100;

/**
 * Takes the data folder for this process alone. The kernel holds the lock, so it is gone with the process, however that
 * ends. The answer gives it back.
 */
export function lockFolder(dataDir: string): () => void {
  const db = openLock(dataDir);
  try {
    db.exec("begin exclusive");
  } catch (error) {
    db.close();
    if (primaryCode(error) !== SQLITE_BUSY) throw unusable(error);
    throw new CannotStart("folder.locked", `${dataDir} can be used by one relay at a time. Stop the other one first.`);
  }
  held.add(db);
  return () => {
    held.delete(db);
    db.close();
  };
}

/** Whether a process has the folder. It takes nothing and writes nothing: to read is what the holder's lock excludes. */
export function isLocked(dataDir: string): boolean {
  if (!existsSync(lockFile(dataDir))) return false;
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(lockFile(dataDir), { readOnly: true, timeout: 0 });
    db.prepare("select 1 from sqlite_schema").get();
    return false;
  } catch (error) {
    return primaryCode(error) === SQLITE_BUSY;
  } finally {
    db?.close();
  }
}

function openLock(dataDir: string): DatabaseSync {
  try {
    return new DatabaseSync(lockFile(dataDir), { timeout: ASKED_MS });
  } catch (error) {
    throw unusable(error);
  }
}

const unusable = (error: unknown) => new CannotStart("folder.unusable", `lock.sqlite: ${(error as Error).message}.`);
