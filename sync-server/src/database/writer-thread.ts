import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { CannotStart } from "../stop-reasons.ts";
import { createCommitter, type WriteReply, type WriteRequest } from "./committer.ts";
import { opening, openForWriting } from "./connection.ts";
import { createHeadNotes } from "./head-notes.ts";

export interface WriterSetting {
  readonly dataDir: string;
  readonly maxBytes: number | null;
  /** The file beside the data folder that says how far it has come; null writes none. */
  readonly head: { readonly file: string; readonly workspace: string } | null;
}

/** One transaction takes all that waits, up to this many bytes. */
const COMMIT_BYTES = 4 * 1_024 * 1_024;

const port = parentPort as MessagePort;
const tell = (reply: WriteReply) => port.postMessage(reply);

try {
  serve(workerData as WriterSetting);
  tell({ ready: true });
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  tell({ cannotStart: error.code, detail: error.detail });
}

function serve({ dataDir, maxBytes, head }: WriterSetting): void {
  const { db, commit, notes } = opening(dataDir, () => {
    const db = openForWriting(dataDir, maxBytes);
    const commit = createCommitter(
      db,
      () => new Date().toISOString(),
      tell,
      (heads) => notes?.note(heads),
    );
    const notes = head === null ? null : createHeadNotes(db, head);
    return { db, commit, notes };
  });
  const close = () => {
    db.close();
    notes?.close();
    port.close();
  };
  const bytesOf = (requests: readonly WriteRequest[]) => requests.reduce((sum, { bytes }) => sum + bytes, 0);
  port.on("message", (first: readonly WriteRequest[] | "close") => {
    if (first === "close") return close();
    const batch = [...first];
    let bytes = bytesOf(first);
    let closing = false;
    // Idle-driven group commit: whatever queued up while the last commit ran goes into this one. No timer.
    while (bytes < COMMIT_BYTES) {
      const next = receiveMessageOnPort(port);
      if (next === undefined) break;
      if (next.message === "close") {
        closing = true;
        break;
      }
      const more = next.message as readonly WriteRequest[];
      batch.push(...more);
      bytes += bytesOf(more);
    }
    commit(batch);
    if (closing) close();
  });
}
