import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { followersFile } from "../followers/database.ts";

/**
 * Makes every follower of the relay that works here start again from the streams, so that what it made of bytes that are
 * gone is gone too: in its next round it finds that its stream is not the one that it remembers.
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
