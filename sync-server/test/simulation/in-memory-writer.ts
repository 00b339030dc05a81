import { EventEmitter } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { createCommitter, type Heads, type WriteReply, type WriteRequest } from "../../src/database/committer.ts";
import { DiskFull, type Writer } from "../../src/database/writer.ts";

/** The relay's database in memory: the real tables and operations, which outlive the relay's process. */
export interface SimulatedDatabase {
  readonly db: DatabaseSync;
  /** The next so many commits find no room. */
  fullFor: number;
  /** The writer of one process. */
  open(nowUtc: () => string): SimulatedWriter;
}

export interface SimulatedWriter extends Writer {
  /** Whether anything waits for a commit. */
  waits(): boolean;
  /** One group commit of all that waits. */
  commit(): void;
  /** The process is gone: what waits is neither written nor answered. */
  kill(): void;
}

export function createSimulatedDatabase(): SimulatedDatabase {
  const database: SimulatedDatabase = {
    db: new DatabaseSync(":memory:"),
    fullFor: 0,
    open: (nowUtc) => openWriter(database, nowUtc),
  };
  return database;
}

interface Waiting {
  readonly request: WriteRequest;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The writer's thread without the thread: the same committer, called when the simulation says so. */
function openWriter(database: SimulatedDatabase, nowUtc: () => string): SimulatedWriter {
  const commits = new EventEmitter<{ commit: [Heads] }>();
  let waiting: Waiting[] = [];
  let batch = new Map<number, Waiting>();
  let killed = false;
  let next = 0;
  const answer = (reply: WriteReply) => {
    if ("ready" in reply || "cannotStart" in reply) return;
    if ("failed" in reply) {
      for (const id of reply.ids) batch.get(id)?.reject(new Error(reply.failed));
      return;
    }
    commits.emit("commit", reply.head);
    for (const { id, answer } of reply.answers) batch.get(id)?.resolve(answer);
  };
  const commit = createCommitter(database.db, nowUtc, answer, () => undefined);
  const writer: SimulatedWriter = {
    run: (name, input) =>
      new Promise((resolve, reject) => {
        if (killed) return;
        const request = { id: (next += 1), name, input: structuredClone(input), bytes: 0 };
        waiting.push({ request, resolve: resolve as (answer: unknown) => void, reject });
      }),
    onCommit: (listener) => {
      commits.on("commit", listener);
      return () => commits.off("commit", listener);
    },
    waitingBytes: () => 0,
    close: () => {
      writer.commit();
      return Promise.resolve();
    },
    waits: () => waiting.length > 0,
    commit: () => {
      const taken = waiting;
      waiting = [];
      if (killed || taken.length === 0) return;
      if (database.fullFor > 0) {
        database.fullFor -= 1;
        for (const { reject } of taken) reject(new DiskFull("simulated"));
        return;
      }
      batch = new Map(taken.map((entry) => [entry.request.id, entry]));
      commit(taken.map(({ request }) => request));
    },
    kill: () => {
      killed = true;
      waiting = [];
    },
  };
  return writer;
}
