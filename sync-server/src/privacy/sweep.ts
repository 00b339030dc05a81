import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { databaseFile } from "../database/connection.ts";
import { lockFolder } from "../database/lock.ts";
import { followersFile } from "../followers/database.ts";

/**
 * Writes the databases anew, so that no freed page holds what has expired. Needs the folder for itself, and as much free
 * disk as the databases take. Throws `CannotStart` while a relay works in it.
 */
export function sweepFolder(dir: string): void {
  const unlock = lockFolder(dir);
  try {
    for (const file of [databaseFile(dir), followersFile(dir)]) {
      if (!existsSync(file)) continue;
      const db = new DatabaseSync(file, { timeout: 5_000 });
      try {
        // The pages that the new ones take the place of are still in the file's log until it is cut.
        db.exec("pragma secure_delete = on; vacuum; pragma wal_checkpoint(truncate)");
      } finally {
        db.close();
      }
    }
  } finally {
    unlock();
  }
}
