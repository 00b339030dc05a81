import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { commandLine, ROOT } from "./relay-process.ts";

/** What the log holds at one position, as `log export` writes it. */
export interface LogRow {
  readonly position: number;
  readonly type: string;
  readonly device: string;
  readonly run: string;
  readonly seq: number;
  readonly hash: string;
  readonly flags: readonly string[];
}

/** Every row of a data folder's order log by position, read line by line: a log of any length costs its rows alone. */
export async function exportLog(dir: string): Promise<LogRow[]> {
  const child = spawn(process.execPath, commandLine("log", "export", "--dir", dir), {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit") as Promise<[number | null]>;
  const rows: LogRow[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const { position, type, device, run, seq, hash, flags } = JSON.parse(line) as LogRow;
    rows.push({ position, type, device, run, seq, hash, flags });
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`log export ended with status ${code}`);
  return rows;
}
