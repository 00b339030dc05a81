import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

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

/** The relay that works in this folder, or null: a file left by a killed one names a process that is gone. */
export function readRunning(dataDir: string): Running | null {
  try {
    const running = runningSchema.parse(JSON.parse(readFileSync(fileIn(dataDir), "utf8")));
    process.kill(running.pid, 0);
    return running;
  } catch {
    return null;
  }
}
