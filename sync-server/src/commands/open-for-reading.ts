import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { databaseFile, openForReading } from "../database/connection.ts";
import { BadUsage, required, type CommandInput } from "./command.ts";

/** Opens the data folder's database to read, whether a relay works in it or not. */
export function openFolderForReading(input: CommandInput): { db: DatabaseSync; dir: string } {
  const dir = path.resolve(required(input, "dir"));
  if (!existsSync(databaseFile(dir))) throw new BadUsage(`${dir} holds no relay's data.`);
  return { db: openForReading(dir), dir };
}

/** The workspace's id, for what was signed in its name. */
export function workspaceIdIn(dir: string): string {
  return workspaceIn(dir).id;
}

/** What everyone may know of the workspace: its id, its zone, and the hexadecimal root key that checks what it signed. */
export function workspaceIn(dir: string): { readonly id: string; readonly zone: string; readonly rootKey: string } {
  const { id, zone, key } = JSON.parse(readFileSync(path.join(dir, "workspace.json"), "utf8")) as {
    id: string;
    zone: string;
    key: { x: string };
  };
  return { id, zone, rootKey: Buffer.from(key.x, "base64url").toString("hex") };
}
