import { DatabaseSync } from "node:sqlite";
import { mkdirSync } from "node:fs";
import path from "node:path";

// The garbage collector closes a database that nobody refers to any more, and its lock with it.
const held = new Set<DatabaseSync>();

/**
 * Takes the one writer's place in `folder`, or answers null where another process has it. SQLite's file lock is the
 * kernel's: it ends with the process, also on `kill -9`, so nothing stale can be left behind.
 */
export function lockFolder(folder: string): { release(): void } | null {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path.join(folder, "writer.lock"));
  try {
    database.exec("pragma journal_mode = memory; pragma locking_mode = exclusive; begin exclusive");
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked/i.test(error.message)) return null;
    throw error;
  }
  held.add(database);
  return {
    release: () => {
      held.delete(database);
      database.close();
    },
  };
}
