import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { startLineProcess, type LineProcess } from "./line-process.ts";

export const ROOT = path.join(import.meta.dirname, "../..");
const SAMPAI = "sync-server/bin/sampai.ts";

export interface RelayProcess {
  readonly url: string;
  readonly port: number;
  readonly process: LineProcess;
}

/** The arguments of Node that run one of the operator's commands. */
export const commandLine = (...words: readonly string[]): string[] => [SAMPAI, ...words];

/**
 * Starts a relay on a data folder and waits until it says that it is ready. `port` 0 takes any free one; `root` is this
 * project or a changed copy of it.
 */
export async function startRelay(dir: string, port = 0, root = ROOT): Promise<RelayProcess> {
  const child = startLineProcess(commandLine("serve", "--dir", dir, "--port", String(port)), root);
  const ready = await child.line((line) => line["ready"] === true, 30_000);
  const url = String(ready["url"]);
  return { url, port: Number(new URL(url).port), process: child };
}

const run = promisify(execFile);

/** Runs one operator command to its end; answers its standard output. Rejects with its standard error when it fails. */
export async function operate(...words: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, commandLine(...words), { cwd: ROOT, maxBuffer: 256 * 1_024 * 1_024 });
  return stdout;
}

/** Makes a one-time enrolment code for a person; `add` puts the person in place where the workspace has none yet. */
export async function enrolmentCode(
  dir: string,
  person: string,
  add?: { name: string; role: string; territory?: string },
): Promise<string> {
  const extra = add === undefined ? [] : ["--name", add.name, "--role", add.role];
  if (add?.territory !== undefined) extra.push("--territories", add.territory);
  const output = await operate("enrol", "--dir", dir, "--person", person, ...extra);
  return (JSON.parse(lastLine(output)) as { code: string }).code;
}

export function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
