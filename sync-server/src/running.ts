import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { isLocked } from "./database/lock.ts";

const runningSchema = z.strictObject({ pid: z.int(), url: z.string(), operatorKey: z.string() });
/** What `relay.json` says of the relay that works in a data folder, so that the command line can reach it. */
export type Running = z.infer<typeof runningSchema>;

const fileIn = (dataDir: string) => path.join(dataDir, "relay.json");

export function writeRunning(dataDir: string, running: Running): void {
  writeFileSync(fileIn(dataDir), JSON.stringify(running), { mode: 0o600 });
  chmodSync(fileIn(dataDir), 0o600);
}

export function removeRunning(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true });
}

/**
 * The relay that works in this folder, or null. Only the folder's lock tells: the file can be left by a killed relay, and
 * the process id in it be another process's by now.
 */
export function readRunning(dataDir: string): Running | null {
  try {
    const running = runningSchema.parse(JSON.parse(readFileSync(fileIn(dataDir), "utf8")));
    return isLocked(dataDir) ? running : null;
  } catch {
    return null;
  }
}
