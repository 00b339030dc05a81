import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

const program = path.join(import.meta.dirname, "../../../engine/bin/phone.ts");

/** A headless phone in a process of its own. */
export interface LinePhone {
  ask(verb: string, input?: object): Promise<unknown>;
  /** Asks again and again until the answer is as wished. */
  until(verb: string, wished: (value: unknown) => boolean): Promise<void>;
  kill(): Promise<void>;
}

export async function startLinePhone(dir: string, url: string, code: string): Promise<LinePhone> {
  const child = spawn(process.execPath, [program, "--dir", dir, "--url", url, "--token", code]);
  const ended = once(child, "exit");
  const waiting = new Map<number, (line: { ok: boolean; value?: unknown; error?: unknown }) => void>();
  let ready = () => {};
  const started = new Promise<void>((resolve) => (ready = resolve));
  createInterface(child.stdout).on("line", (text) => {
    const line = JSON.parse(text) as { event?: string; n?: number; ok: boolean };
    if (line.event === "ready") ready();
    if (line.n !== undefined) waiting.get(line.n)?.(line);
  });
  await Promise.race([started, ended]);
  assert.equal(child.exitCode, null, "the phone ended before it was ready");
  let n = 0;
  const ask = async (verb: string, input: object = {}) => {
    const number = (n += 1);
    const answered = new Promise<{ ok: boolean; value?: unknown; error?: unknown }>((resolve) =>
      waiting.set(number, resolve),
    );
    child.stdin.write(`${JSON.stringify({ n: number, do: verb, ...input })}\n`);
    const line = await answered;
    assert.ok(line.ok, `${verb}: ${JSON.stringify(line.error)}`);
    return line.value;
  };
  return {
    ask,
    until: async (verb, wished) => {
      while (!wished(await ask(verb))) assert.equal(child.exitCode, null, "the phone ended");
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
