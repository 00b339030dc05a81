import type { StatementSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { createTrailWriter } from "../trail/append.ts";
import { openForWriting } from "./connection.ts";
import { operations, tables, type OperationName, type Transaction } from "./operations.ts";

export interface WriteRequest {
  readonly id: number;
  readonly name: OperationName;
  readonly input: unknown;
  readonly bytes: number;
}
export type WriteReply =
  | { readonly ready: true }
  | { readonly answers: readonly { readonly id: number; readonly answer: unknown }[]; readonly head: Heads }
  | { readonly failed: string; readonly full: boolean; readonly ids: readonly number[] };
export interface Heads {
  /** Next position of the order log, of the trail and of the stream of document changes. */
  readonly log: number;
  readonly trail: number;
  readonly documents: number;
}

/** One transaction takes all that waits, up to this many bytes. */
const COMMIT_BYTES = 4 * 1_024 * 1_024;

const port = parentPort as MessagePort;
const { dataDir } = workerData as { dataDir: string };
const db = openForWriting(dataDir);
db.exec(tables);
const trail = createTrailWriter(db);
const prepared = new Map<string, StatementSync>();
const sql = (text: string): StatementSync => {
  const statement = prepared.get(text) ?? db.prepare(text);
  prepared.set(text, statement);
  return statement;
};
const headOf = db.prepare(
  `select (select coalesce(max(position) + 1, 0) from log) as log,
          (select coalesce(max(position) + 1, 0) from trail) as trail,
          (select coalesce(max(position) + 1, 0) from change) as documents`,
);

port.on("message", (first: WriteRequest) => {
  const batch = [first];
  let bytes = first.bytes;
  // Idle-driven group commit: whatever queued up while the last commit ran goes into this one. No timer.
  while (bytes < COMMIT_BYTES) {
    const next = receiveMessageOnPort(port);
    if (next === undefined) break;
    batch.push(next.message);
    bytes += next.message.bytes;
  }
  commit(batch);
});
port.postMessage({ ready: true } satisfies WriteReply);

function commit(batch: readonly WriteRequest[]) {
  try {
    db.exec("begin immediate");
    const now = new Date().toISOString();
    const transaction: Transaction = { sql, now, note: (row) => trail.append(now, row) };
    const answers = batch.map(({ id, name, input }) => ({
      id,
      answer: (operations[name] as (tx: Transaction, input: unknown) => unknown)(transaction, input),
    }));
    db.exec("commit");
    port.postMessage({ answers, head: headOf.get() as unknown as Heads } satisfies WriteReply);
  } catch (error) {
    const full = /SQLITE_FULL|database or disk is full/i.test(String(error));
    if (!full) {
      // A failed fsync leaves nobody knowing what is on disk. The process must stop; a restart reads the truth.
      port.postMessage({ failed: String(error), full, ids: batch.map(({ id }) => id) } satisfies WriteReply);
      throw error;
    }
    if (db.isTransaction) db.exec("rollback");
    trail.reload();
    port.postMessage({ failed: String(error), full, ids: batch.map(({ id }) => id) } satisfies WriteReply);
  }
}
