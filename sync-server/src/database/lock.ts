import { DatabaseSync } from "node:sqlite";
import path from "node:path";
import { CannotStart } from "../stop-reasons.ts";
import { primaryCode, SQLITE_BUSY } from "./sqlite-codes.ts";

// The garbage collector closes a database that nobody refers to any more, and its lock with it.
const held = new Set<DatabaseSync>();

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

function openLock(dataDir: string): DatabaseSync {
  try {
    return new DatabaseSync(path.join(dataDir, "lock.sqlite"), { timeout: 0 });
  } catch (error) {
    throw unusable(error);
  }
}

const unusable = (error: unknown) => new CannotStart("folder.unusable", `lock.sqlite: ${(error as Error).message}.`);
