import { statSync } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { databaseFile, openForReading, opening } from "../database/connection.ts";
import { CannotStart } from "../stop-reasons.ts";
import { readWorkspaceFile } from "../workspace.ts";
import { BadUsage, required, type CommandInput } from "./command.ts";

/** Opens the data folder's database to read, whether a relay works in it or not. */
export function openFolderForReading(input: CommandInput): { db: DatabaseSync; dir: string } {
  const dir = folderWithData(required(input, "dir"));
  return { db: openLogForReading(dir), dir };
}

/** The folder's whole path, where a relay keeps its data in it: only `serve`, `import` and `enrol --name` make one. */
export function folderWithData(typed: string): string {
  const dir = path.resolve(typed);
  try {
    statSync(databaseFile(dir));
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code);
    if (code === "ENOENT" || code === "ENOTDIR") throw new BadUsage(`${dir} holds no relay's data.`);
    throw new BadUsage(`${dir} cannot be read: ${code}.`);
  }
  workspaceIn(dir);
  return dir;
}

/** Opens the database of a folder that has one. Throws `CannotStart` where it is damaged: also an empty file is no log. */
export function openLogForReading(dir: string): DatabaseSync {
  return opening(dir, () => {
    const db = openForReading(dir);
    if (db.prepare("select 1 from sqlite_schema where name = 'log'").get() !== undefined) return db;
    db.close();
    throw new CannotStart("database.damaged", `${databaseFile(dir)}: it has no order log.`);
  });
}

// Whoever only checks what was signed may be given a file without the secret part of the key.
const publicSchema = z.object({
  id: z.string().min(1),
  zone: z.string().min(1),
  key: z.object({ x: z.string().regex(/^[\w-]{43}$/, "is no Ed25519 key") }),
});

/** What everyone may know of the workspace: its id, its zone, and the hexadecimal root key that checks what it signed. */
export function workspaceIn(dir: string): { readonly id: string; readonly zone: string; readonly rootKey: string } {
  const { id, zone, key } = readWorkspaceFile(dir, publicSchema);
  return { id, zone, rootKey: Buffer.from(key.x, "base64url").toString("hex") };
}
