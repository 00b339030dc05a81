import { startLineProcess, type Line, type LineProcess } from "../src/line-process.ts";
import { ROOT } from "../src/relay-process.ts";

/** What any process of a bench gets for one step before it is given up. */
export const CAP_MS = 120_000;

/** A process of this folder that is asked by JSON lines and answers each. */
export interface AskedProcess {
  readonly process: LineProcess;
  /** The line with which it said that it is ready. */
  readonly ready: Line;
  /** Asks for one thing and answers its value. Rejects where that threw there, or took longer than 120 s. */
  ask<T = Record<string, unknown>>(verb: string, input?: object): Promise<T>;
}

/** Starts a file of this folder and waits until it is ready. */
export async function startAsked(file: string, words: readonly string[] = []): Promise<AskedProcess> {
  const child = startLineProcess([`conformance/benches/${file}`, ...words], ROOT);
  const ready = await child.line((line) => line["ready"] === true, 30_000);
  let asked = 0;
  return {
    process: child,
    ready,
    ask: async <T>(verb: string, input: object = {}) => {
      asked += 1;
      const n = asked;
      child.write({ n, do: verb, ...input });
      const line = await child.line((answer) => answer["n"] === n, CAP_MS);
      if (line["error"] !== undefined) throw new Error(`${verb}: ${JSON.stringify(line["error"])}`);
      return line["value"] as T;
    },
  };
}
