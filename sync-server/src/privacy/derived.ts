import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { followersFile } from "../followers/database.ts";

/**
 * Makes every follower start again from the streams, so that what it made of bytes that are gone is gone too. Works
 * beside a running relay: its followers find that their streams are not the ones that they remember.
 */
export function forgetDerived(dir: string): void {
  const file = followersFile(dir);
  if (!existsSync(file)) return;
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    db.exec("update follower set last_hash = 'expired' where position > 0");
  } finally {
    db.close();
  }
}
