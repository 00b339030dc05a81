import type { DatabaseSync } from "node:sqlite";

/** All or nothing. */
export function transact(db: DatabaseSync, run: () => void): void {
  db.exec("begin immediate");
  try {
    run();
    db.exec("commit");
  } catch (error) {
    if (db.isTransaction) db.exec("rollback");
    throw error;
  }
}
