import { DatabaseSync } from "node:sqlite";
import path from "node:path";
import { CannotStart } from "../stop-reasons.ts";

/**
 * Takes the data folder for this process alone. The kernel holds the lock, so it is gone with the process, however that
 * ends. The answer gives it back.
 */
export function lockFolder(dataDir: string): () => void {
  const db = new DatabaseSync(path.join(dataDir, "lock.sqlite"), { timeout: 0 });
  try {
    db.exec("begin exclusive");
  } catch {
    db.close();
    throw new CannotStart("folder.locked", `${dataDir} can be used by one relay at a time. Stop the other one first.`);
  }
  return () => db.close();
}
