import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { createCommitter, type Heads, type WriteReply, type WriteRequest } from "./committer.ts";
import { openForWriting } from "./connection.ts";
import { openHeadFile, type Head } from "./head-file.ts";

export interface WriterSetting {
  readonly dataDir: string;
  readonly maxBytes: number | null;
  /** The file beside the data folder that says how far it has come; null writes none. */
  readonly head: { readonly file: string; readonly workspace: string } | null;
}

/** One transaction takes all that waits, up to this many bytes. */
const COMMIT_BYTES = 4 * 1_024 * 1_024;

const port = parentPort as MessagePort;
const { dataDir, maxBytes, head } = workerData as WriterSetting;
const db = openForWriting(dataDir, maxBytes);
const commit = createCommitter(
  db,
  () => new Date().toISOString(),
  (reply) => port.postMessage(reply),
  writeHead,
);
const headFile = head === null ? null : openHeadFile(head.file);
const known = db.prepare("select term, size from known_size order by term");
const began = db.prepare("select term, position from term_began order by term");
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
    began: (began.all() as { term: string; position: number }[]).map(({ term, position }) => [term, position]),
    revoked: (revoked.all() as { device: string }[]).map(({ device }) => device),
  } satisfies Head);
}

function close(): void {
  db.close();
  headFile?.close();
  port.close();
}
