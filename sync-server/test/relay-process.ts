import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

export const commandLine = path.join(import.meta.dirname, "../bin/sampai.ts");

export const newFolder = (): Promise<string> => mkdtemp(path.join(tmpdir(), "sampai-relay-"));

/** A relay in a process of its own, as an operator runs it. */
export interface RelayProcess {
  readonly url: string;
  readonly process: ChildProcess;
  /** What it wrote to stderr so far. */
  log(): string;
  /** Sends the signal and answers the exit status, null where the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export async function serveRelay(dir: string, ...more: string[]): Promise<RelayProcess> {
  const child = spawn(process.execPath, [commandLine, "serve", "--dir", dir, ...more]);
  let log = "";
  child.stderr.on("data", (text: Buffer) => (log += text.toString()));
  const ended = once(child, "exit") as Promise<[number | null]>;
  const firstLine = once(createInterface(child.stdout), "line") as Promise<[string]>;
  const first = await Promise.race([firstLine, ended]);
  assert.equal(typeof first[0], "string", `the relay ended before it was ready: ${log}`);
  const { url } = JSON.parse(String(first[0])) as { url: string };
  return {
    url,
    process: child,
    log: () => log,
    end: async (signal) => {
      child.kill(signal);
      return (await ended)[0];
    },
  };
}

/** Runs one command to its end. */
export async function sampai(...words: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [commandLine, ...words]);
  let out = "";
  let err = "";
  child.stdout.on("data", (text: Buffer) => (out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (err += text.toString()));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, out, err };
}

/** A one-time code for a rep, who is added where nobody has the code yet. */
export async function inviteRep(dir: string, person = "R001"): Promise<string> {
  const words = ["--person", person, "--name", `Rep ${person}`, "--role", "rep", "--territories", "T1"];
  const { status, out, err } = await sampai("enrol", "--dir", dir, ...words);
  assert.equal(status, 0, err);
  return (JSON.parse(out) as { code: string }).code;
}
