import { ROOT } from "./relay-process.ts";
import { startLineProcess, type LineProcess } from "./line-process.ts";

export class PhoneRefusal extends Error {
  override readonly name = "PhoneRefusal";
  readonly code: string;
  constructor(verb: string, error: { code: string; detail?: string }) {
    super(`${verb}: ${error.code}${error.detail === undefined ? "" : ` (${error.detail})`}`);
    this.code = error.code;
  }
}

/** A headless phone: the real engine in a process of its own, driven by JSON lines. */
export interface PhoneProcess {
  readonly process: LineProcess;
  /** Asks for one thing and answers its value; rejects with `PhoneRefusal` where the phone says no. */
  ask(verb: string, input?: object, timeoutMs?: number): Promise<unknown>;
  kill(): Promise<void>;
  quit(): Promise<void>;
}

export async function startPhone(options: { dir: string; url: string; code: string }): Promise<PhoneProcess> {
  const { dir, url, code } = options;
  const child = startLineProcess(["engine/bin/phone.ts", "--dir", dir, "--url", url, "--token", code], ROOT);
  await child.line((line) => line["event"] === "ready", 30_000);
  let asked = 0;
  const ask = async (verb: string, input: object = {}, timeoutMs = 30_000) => {
    asked += 1;
    const n = asked;
    child.write({ n, do: verb, ...input });
    const line = await child.line((answer) => answer["n"] === n, timeoutMs);
    if (line["ok"] !== true) throw new PhoneRefusal(verb, line["error"] as { code: string; detail?: string });
    return line["value"];
  };
  return {
    process: child,
    ask,
    kill: () => child.kill(),
    quit: async () => {
      await ask("quit").catch(() => undefined);
      await child.stop();
    },
  };
}
