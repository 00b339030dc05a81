import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { DecodeReply, DecodeRequest } from "./decoder-process.ts";

/** Makes a small clean JPEG of a stranger's picture: decoded whole, turned upright, without any metadata. */
export interface Decoder {
  /** A picture is on its way: the process starts meanwhile. */
  warm(): void;
  /** Null where it is no whole picture, holds more than `mostPixels`, or takes the decoder down. */
  preview(bytes: Uint8Array, options: { longestEdge: number; mostPixels: number }): Promise<Uint8Array | null>;
  close(): void;
}

/** An honest preview takes 10 ms, the largest original a second. */
const DECODE_MS = 15_000;
/** The process ends after so long without work, as its memory is wanted elsewhere. */
const IDLE_MS = 60_000;

interface Waiting {
  readonly request: DecodeRequest;
  readonly resolve: (jpeg: Uint8Array | null) => void;
}

/** Decodes one picture at a time in a process of its own, which starts with the first and is killed when it hangs. */
export function createDecoder(): Decoder {
  const queue: Waiting[] = [];
  let current: Waiting | null = null;
  let child: ChildProcess | null = null;
  let timer: NodeJS.Timeout | undefined;
  let lastId = 0;
  let closed = false;

  const finish = (jpeg: Uint8Array | null) => {
    const done = current;
    current = null;
    clearTimeout(timer);
    done?.resolve(jpeg);
    work();
  };
  const end = () => {
    clearTimeout(timer);
    child?.removeAllListeners();
    child?.kill("SIGKILL");
    child = null;
  };
  const startChild = (): ChildProcess => {
    const started = fork(fileURLToPath(new URL("./decoder-process.ts", import.meta.url)), {
      execArgv: [],
      env: {},
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    started.on("message", (reply: DecodeReply) => {
      if (current?.request.id === reply.id) finish(reply.jpeg === null ? null : new Uint8Array(reply.jpeg));
    });
    const died = () => {
      if (child !== started) return;
      child = null;
      finish(null);
    };
    started.on("exit", died);
    started.on("error", died);
    // It must not keep a relay alive that wants to end.
    started.unref();
    started.channel?.unref();
    return started;
  };
  const work = () => {
    if (current !== null || closed) return;
    current = queue.shift() ?? null;
    if (current === null) {
      if (child !== null) timer = setTimeout(end, IDLE_MS).unref();
      return;
    }
    child ??= startChild();
    timer = setTimeout(() => {
      end();
      finish(null);
    }, DECODE_MS);
    child.send(current.request);
  };
  return {
    warm: () => {
      if (closed || child !== null) return;
      child = startChild();
      timer = setTimeout(end, IDLE_MS).unref();
    },
    preview: (bytes, options) =>
      new Promise((resolve) => {
        if (closed) {
          resolve(null);
          return;
        }
        lastId += 1;
        queue.push({ request: { id: lastId, bytes, ...options }, resolve });
        clearTimeout(current === null ? timer : undefined);
        work();
      }),
    close: () => {
      closed = true;
      end();
      for (const { resolve } of [...(current === null ? [] : [current]), ...queue.splice(0)]) resolve(null);
      current = null;
    },
  };
}
