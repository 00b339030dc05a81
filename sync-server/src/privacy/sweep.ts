import { existsSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { databaseFile } from "../database/connection.ts";
import { lockFolder } from "../database/lock.ts";
import { followersFile } from "../followers/database.ts";

/**
 * Writes the database anew and throws the followers' away, so that no freed page holds what has expired. Needs the folder for itself, and as much free
 * disk as the databases take. Throws `CannotStart` while a relay works in it.
 */
export function sweepFolder(dir: string): void {
  const unlock = lockFolder(dir);
  try {
    // What followers made is made again from the streams: they may not have forgotten yet, and need not be asked.
    for (const end of ["", "-wal", "-shm"]) rmSync(`${followersFile(dir)}${end}`, { force: true });
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
