import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const ROOT = path.join(import.meta.dirname, "../..");
const SAMPAI = "sync-server/bin/sampai.ts";
const run = promisify(execFile);

/** The real relay with the demo workspace, in a process of its own. */
export interface Relay {
  readonly url: string;
  /** A one-time enrolment link for this person. */
  link(person: string): Promise<string>;
  /** HQ deletes a store for everybody. */
  bury(store: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startRelay(dir: string, app: string): Promise<Relay> {
  const operate = async (...words: string[]) =>
    (await run(process.execPath, [SAMPAI, ...words, "--dir", dir], { cwd: ROOT })).stdout.trimEnd();
  await operate("import", "sync-server/demo");
  const child = spawn(process.execPath, [SAMPAI, "serve", "--dir", dir, "--app", app], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (text: Buffer) => {
    log = (log + text.toString()).slice(-4_000);
  });
  const ended = once(child, "exit");
  const url = await Promise.race([
    readyUrl(child.stdout),
    ended.then(() => Promise.reject(new Error(`the relay ended before it was ready:\n${log}`))),
  ]);
  return {
    url,
    link: async (person) => {
      const said = (await operate("enrol", "--person", person)).split("\n").at(-1) ?? "";
      return (JSON.parse(said) as { link: string }).link;
    },
    bury: async (store) => {
      await operate("store", "bury", store);
    },
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function readyUrl(stdout: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stdout })) {
    const said = JSON.parse(line) as { ready?: boolean; url?: string };
    if (said.ready === true && said.url !== undefined) return said.url;
  }
  throw new Error("the relay said nothing");
}
