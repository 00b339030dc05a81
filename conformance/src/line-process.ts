import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { atEnd } from "./at-end.ts";

/** One line of a process's standard output, read as JSON. */
export type Line = Readonly<Record<string, unknown>>;

/** A child process that speaks JSON lines: how relay and phone are driven without knowing their code. */
export interface LineProcess {
  readonly pid: number;
  /** Writes one JSON line to its standard input. */
  write(message: object): void;
  /** Called with each line from now on. The answer stops it. */
  onLine(listener: (line: Line) => void): () => void;
  /** The first line, past or to come, for which `wanted` holds. Rejects when the process ends first or after `timeoutMs`. */
  line(wanted: (line: Line) => boolean, timeoutMs: number): Promise<Line>;
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>;
  /** Waits until it ends by itself; answers its exit code. Rejects after `timeoutMs`. */
  end(timeoutMs: number): Promise<number | null>;
  /** Asks it to stop (SIGTERM) and waits for its exit code. */
  stop(): Promise<number | null>;
  /** What it wrote to standard error, the last 64 KiB. */
  stderr(): string;
}

export function startLineProcess(argv: readonly string[], cwd: string): LineProcess {
  const child: ChildProcess = spawn(process.execPath, [...argv], { cwd, stdio: ["pipe", "pipe", "pipe"] });
  const lines: Line[] = [];
  const listeners = new Set<(line: Line) => void>();
  let errors = "";
  let ended = false;
  const forget = atEnd(() => child.kill("SIGKILL"));
  child.once("exit", () => {
    ended = true;
    forget();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-65_536);
  });
  child.stdin?.on("error", () => {
    // The process is gone; whoever waits for an answer is told by its end.
  });
  if (child.stdout === null) throw new Error("no standard output");
  createInterface({ input: child.stdout }).on("line", (text) => {
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch {
      return;
    }
    lines.push(line);
    if (lines.length > 20_000) lines.splice(0, 10_000);
    for (const listener of listeners) listener(line);
  });
  return {
    pid: child.pid ?? 0,
    write: (message) => {
      child.stdin?.write(`${JSON.stringify(message)}\n`);
    },
    onLine: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    line: (wanted, timeoutMs) =>
      new Promise((resolve, reject) => {
        const found = lines.find(wanted);
        if (found !== undefined) {
          resolve(found);
          return;
        }
        const done = (act: () => void) => {
          clearTimeout(timer);
          listeners.delete(listener);
          child.off("exit", gone);
          act();
        };
        const listener = (line: Line) => {
          if (wanted(line)) done(() => resolve(line));
        };
        const gone = () => done(() => reject(new Error(`${argv[0]} ended while it was waited for\n${errors}`)));
        const timer = setTimeout(
          () => done(() => reject(new Error(`${argv[0]} did not answer in ${timeoutMs} ms\n${errors}`))),
          timeoutMs,
        );
        listeners.add(listener);
        if (ended) gone();
        else child.once("exit", gone);
      }),
    kill: async () => {
      if (ended) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
    end: async (timeoutMs) => {
      if (!ended) await once(child, "exit", { signal: AbortSignal.timeout(timeoutMs) });
      return child.exitCode;
    },
    stop: async () => {
      if (ended) return child.exitCode;
      child.kill("SIGTERM");
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    },
    stderr: () => errors,
  };
}
