import { EventEmitter, once } from "node:events";
import { Worker } from "node:worker_threads";
import { CannotStart } from "../stop-reasons.ts";
import type { OperationAnswer, OperationInput, OperationName } from "./operations.ts";
import type { Heads, WriteReply, WriteRequest } from "./committer.ts";
import type { WriterSetting } from "./writer-thread.ts";

/** The disk is full: nothing of this batch was written, and it may be tried again later. */
export class DiskFull extends Error {
  override readonly name = "DiskFull";
}

/** One message to the writer's thread holds no more than this and one request. */
const MESSAGE_BYTES = 1_048_576;

/** The one way to write: every answer is given after its commit is on disk, never before. */
export interface Writer {
  /** Runs a write operation. Rejects with `DiskFull`, or with what a faulty operation threw; a broken disk stops the process. */
  run<N extends OperationName>(name: N, input: OperationInput<N>): Promise<OperationAnswer<N>>;
  /** Called after each commit with the heads that are now durable. The answer stops it. */
  onCommit(listener: (heads: Heads) => void): () => void;
  /** Bytes handed in and not yet committed. */
  waitingBytes(): number;
  /** Commits what waits, then stops. */
  close(): Promise<void>;
}

/** `onBroken` is told when the disk gave out; `maxBytes` bounds the database where it is not null; `head` is kept outside it. Throws `CannotStart`. */
export async function startWriter(
  dataDir: string,
  onBroken: (reason: string) => void,
  maxBytes: number | null = null,
  head: WriterSetting["head"] = null,
): Promise<Writer> {
  const workerData = { dataDir, maxBytes, head } satisfies WriterSetting;
  const worker = new Worker(new URL("./writer-thread.ts", import.meta.url), { workerData });
  const commits = new EventEmitter<{ commit: [Heads] }>();
  commits.setMaxListeners(0);
  const waiting = new Map<
    number,
    { resolve: (answer: unknown) => void; reject: (error: Error) => void; bytes: number }
  >();
  let nextId = 0;
  let waitingBytes = 0;
  let outgoing: WriteRequest[] = [];
  let outgoingBytes = 0;
  // What one turn of the event loop brings goes over in one message: each message costs as much as a write.
  const send = () => {
    if (outgoing.length > 0) worker.postMessage(outgoing);
    outgoing = [];
    outgoingBytes = 0;
  };
  const settle = (id: number) => {
    const entry = waiting.get(id);
    waiting.delete(id);
    waitingBytes -= entry?.bytes ?? 0;
    return entry;
  };
  worker.on("message", (reply: WriteReply) => {
    if ("ready" in reply || "cannotStart" in reply) return;
    if ("failed" in reply) {
      if (reply.why === "broken") onBroken(reply.failed);
      const error = reply.why === "full" ? new DiskFull(reply.failed) : new Error(reply.failed);
      for (const id of reply.ids) settle(id)?.reject(error);
      return;
    }
    // Listeners first: whoever is answered may read, and must find what it was told.
    commits.emit("commit", reply.head);
    for (const { id, answer } of reply.answers) settle(id)?.resolve(answer);
  });
  worker.on("error", (error) => onBroken(String(error)));
  // Rejects with what went wrong where the database cannot be opened.
  const [first] = (await once(worker, "message")) as [WriteReply];
  if ("cannotStart" in first) {
    await worker.terminate();
    throw new CannotStart(first.cannotStart, first.detail);
  }
  let closed: Promise<unknown> | null = null;
  return {
    run: (name, input) =>
      new Promise((resolve, reject) => {
        if (closed !== null) {
          reject(new Error("the writer is closed"));
          return;
        }
        const id = (nextId += 1);
        const bytes = sizeOf(input);
        waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject, bytes });
        waitingBytes += bytes;
        if (outgoing.length === 0) setImmediate(send);
        outgoing.push({ id, name, input, bytes });
        outgoingBytes += bytes;
        if (outgoingBytes >= MESSAGE_BYTES) send();
      }),
    onCommit: (listener) => {
      commits.on("commit", listener);
      return () => commits.off("commit", listener);
    },
    waitingBytes: () => waitingBytes,
    close: async () => {
      if (closed === null) {
        closed = once(worker, "exit");
        send();
        worker.postMessage("close");
      }
      await closed;
    },
  };
}

/** A rough count of the bytes in an input, enough to bound a commit. */
function sizeOf(input: unknown): number {
  if (input instanceof Uint8Array) return input.length;
  if (typeof input === "string") return input.length;
  if (Array.isArray(input)) return input.reduce((sum: number, item) => sum + sizeOf(item), 16);
  if (typeof input === "object" && input !== null) {
    return Object.values(input).reduce((sum: number, item) => sum + sizeOf(item), 16);
  }
  return 8;
}
