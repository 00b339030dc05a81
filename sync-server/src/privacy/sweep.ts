import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { databaseFile } from "../database/connection.ts";
import { lockFolder } from "../database/lock.ts";
import { removeFollowers } from "../followers/database.ts";

/**
 * Writes the database anew, so that no freed page holds what has expired, and throws away what followers made of it: they
 * may not have forgotten yet when their relay stopped. Needs the folder for itself, and as much free disk as the database
 * takes. Throws `CannotStart` while a relay works in it.
 */
export function sweepFolder(dir: string): void {
  const unlock = lockFolder(dir);
  try {
    removeFollowers(dir);
    if (!existsSync(databaseFile(dir))) return;
    const db = new DatabaseSync(databaseFile(dir), { timeout: 5_000 });
    try {
      // The pages that the new ones take the place of are still in the file's log until it is cut.
      db.exec("pragma secure_delete = on; vacuum; pragma wal_checkpoint(truncate)");
    } finally {
      db.close();
    }
  } finally {
    unlock();
  }
}
