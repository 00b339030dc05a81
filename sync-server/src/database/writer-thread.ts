import type { StatementSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { createTrailWriter } from "../trail/append.ts";
import { openForWriting } from "./connection.ts";
import { openHeadFile, type Head } from "./head-file.ts";
import { operations, tables, type OperationName, type Transaction } from "./operations.ts";

export interface WriteRequest {
  readonly id: number;
  readonly name: OperationName;
  readonly input: unknown;
  readonly bytes: number;
}
export interface WriterSetting {
  readonly dataDir: string;
  readonly maxBytes: number | null;
  /** The file beside the data folder that says how far it has come; null writes none. */
  readonly head: { readonly file: string; readonly workspace: string } | null;
}
export type WriteReply =
  | { readonly ready: true }
  | { readonly answers: readonly { readonly id: number; readonly answer: unknown }[]; readonly head: Heads }
  | { readonly failed: string; readonly why: WriteFailure; readonly ids: readonly number[] };
/** `full`: nothing was written, it may be tried again. `threw`: this one operation is faulty. `broken`: the disk is. */
export type WriteFailure = "full" | "threw" | "broken";
export interface Heads {
  /** Next position of the order log, of the trail and of the stream of document changes. */
  readonly log: number;
  readonly trail: number;
  readonly documents: number;
  /** The current term of the order log, and the nonce of its newest start; empty before the log was opened. */
  readonly term: string;
  readonly start: string;
}

/** One transaction takes all that waits, up to this many bytes. */
const COMMIT_BYTES = 4 * 1_024 * 1_024;

const port = parentPort as MessagePort;
const { dataDir, maxBytes, head } = workerData as WriterSetting;
const db = openForWriting(dataDir, maxBytes);
db.exec(tables);
const trail = createTrailWriter(db);
const prepared = new Map<string, StatementSync>();
const sql = (text: string): StatementSync => {
  const statement = prepared.get(text) ?? db.prepare(text);
  prepared.set(text, statement);
  return statement;
};
const remembered = new Map<string, unknown>();
const remember = <T>(name: string, make: () => T): T => {
  if (!remembered.has(name)) remembered.set(name, make());
  return remembered.get(name) as T;
};
const headOf = db.prepare(
  `select (select coalesce(max(position) + 1, 0) from log) as log,
          (select coalesce(max(position) + 1, 0) from trail) as trail,
          (select coalesce(max(position) + 1, 0) from change) as documents,
          coalesce((select id from term order by number desc limit 1), '') as term,
          coalesce((select run from log where type = 'start' order by position desc limit 1), '') as start`,
);
const headFile = head === null ? null : openHeadFile(head.file);
const known = db.prepare("select term, size from known_size order by term");
const revoked = db.prepare(
  "select device from device where revoked is not null union select device from revoked_before order by device",
);

port.on("message", (first: WriteRequest | "close") => {
  if (first === "close") return close();
  const batch = [first];
  let bytes = first.bytes;
  let closing = false;
  // Idle-driven group commit: whatever queued up while the last commit ran goes into this one. No timer.
  while (bytes < COMMIT_BYTES) {
    const next = receiveMessageOnPort(port);
    if (next === undefined) break;
    if (next.message === "close") {
      closing = true;
      break;
    }
    batch.push(next.message);
    bytes += next.message.bytes;
  }
  commit(batch);
  if (closing) close();
});
port.postMessage({ ready: true } satisfies WriteReply);

function commit(batch: readonly WriteRequest[]): void {
  let answers: { id: number; answer: unknown }[];
  try {
    db.exec("begin immediate");
    const now = new Date().toISOString();
    const transaction: Transaction = { sql, now, remember, note: (row) => trail.append(now, row) };
    answers = batch.map(({ id, name, input }) => ({
      id,
      answer: (operations[name] as (tx: Transaction, input: unknown) => unknown)(transaction, input),
    }));
    db.exec("commit");
  } catch (error) {
    failed(batch, error);
    return;
  }
  let heads: Heads;
  try {
    heads = headOf.get() as unknown as Heads;
    writeHead(heads);
  } catch (error) {
    // Committed and not noted outside: nobody may be told before it is.
    port.postMessage({ failed: traceOf(error), why: "broken", ids: batch.map(({ id }) => id) } satisfies WriteReply);
    throw error;
  }
  port.postMessage({ answers, head: heads } satisfies WriteReply);
}

/** How far we are, on disk outside the data folder before anybody is answered: a restored folder is known by it. */
function writeHead({ log, trail, documents, term, start }: Heads): void {
  if (headFile === null || head === null || term === "") return;
  headFile.write({
    v: 1,
    workspace: head.workspace,
    term,
    start,
    log,
    trail,
    documents,
    known: (known.all() as { term: string; size: number }[]).map(({ term, size }) => [term, size]),
    revoked: (revoked.all() as { device: string }[]).map(({ device }) => device),
  } satisfies Head);
}

function failed(batch: readonly WriteRequest[], error: unknown): void {
  const why = failureOf(error);
  const reply = { failed: traceOf(error), why, ids: batch.map(({ id }) => id) } satisfies WriteReply;
  if (why === "broken") {
    // A failed fsync leaves nobody knowing what is on disk. The process must stop; a restart reads the truth.
    port.postMessage(reply);
    throw error;
  }
  if (db.isTransaction) db.exec("rollback");
  remembered.clear();
  trail.reload();
  // One faulty operation must not take down those that came along with it: each is tried alone.
  if (why === "threw" && batch.length > 1) for (const request of batch) commit([request]);
  else port.postMessage(reply);
}

const SQLITE_FULL = 13;
const SQLITE_CONSTRAINT = 19;

function failureOf(error: unknown): WriteFailure {
  const code = (error as { errcode?: unknown }).errcode;
  if (typeof code !== "number") return "threw";
  const primary = code & 0xff;
  if (primary === SQLITE_FULL) return "full";
  return primary === SQLITE_CONSTRAINT ? "threw" : "broken";
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function close(): void {
  db.close();
  headFile?.close();
  port.close();
}
