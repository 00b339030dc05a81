import { base64ToBytes, err, ok, type Result } from "@sampai/engine/core";
import {
  HASH_BYTES,
  leafHash,
  rootOfInclusion,
  type Checkpoint,
  type NoteError,
  type NoteVerifier,
} from "@sampai/engine/proof";
import { readCheckpoint } from "./checkpoint.ts";

// C2SP tlog-proof: a proof that travels alone. The leaf's record rides in its `extra` line.
const HEADER = "c2sp.org/tlog-proof@v1";
/** A tree as deep as that has more leaves than can be counted. */
const MOST_HASHES = 63;
/** More than the longest receipt takes: what is larger is none. */
export const RECEIPT_BYTES = 65_536;

export interface Receipt {
  readonly record: Uint8Array;
  readonly index: number;
  readonly path: readonly Uint8Array[];
  /** A signed checkpoint whose tree holds the leaf. */
  readonly checkpoint: string;
}

export type ReceiptError =
  | NoteError
  | { readonly code: "receipt.malformed" | "receipt.proof"; readonly detail: string };

export function receiptText({ record, index, path, checkpoint }: Receipt): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  return [HEADER, `extra ${base64(record)}`, `index ${index}`, ...path.map(base64), "", checkpoint].join("\n");
}

export function readReceipt(text: string): Result<Receipt, ReceiptError> {
  const [head, ...rest] = text.split("\n\n");
  const [header, extra, index, ...path] = (head ?? "").split("\n");
  const position = /^index (0|[1-9]\d{0,14})$/.exec(index ?? "")?.[1];
  const record = base64ToBytes(/^extra (\S+)$/.exec(extra ?? "")?.[1] ?? "*");
  if (header !== HEADER || position === undefined || record === null || rest.length < 2) {
    return err({ code: "receipt.malformed", detail: "not a tlog-proof with extra data and an index" });
  }
  const hashes = path.flatMap((line) => base64ToBytes(line) ?? []).filter(({ length }) => length === HASH_BYTES);
  if (path.length > MOST_HASHES || hashes.length < path.length) {
    return err({ code: "receipt.malformed", detail: "a line of the proof is no hash" });
  }
  return ok({ record, index: Number(position), path: hashes, checkpoint: rest.join("\n\n") });
}

/** Checks a receipt with nothing but the log's public key. Answers what the log says of the event. */
export function checkReceipt(
  text: string,
  verifier: NoteVerifier,
): Result<{ readonly record: string; readonly checkpoint: Checkpoint }, ReceiptError> {
  const receipt = readReceipt(text);
  if (!receipt.ok) return receipt;
  const checkpoint = readCheckpoint(receipt.value.checkpoint, verifier);
  if (!checkpoint.ok) return checkpoint;
  const { record, index, path } = receipt.value;
  const root = rootOfInclusion(leafHash(record), index, checkpoint.value.size, path);
  if (root === null || !Buffer.from(root).equals(checkpoint.value.root)) {
    return err({ code: "receipt.proof", detail: "the path does not lead from this event to the signed root" });
  }
  return ok({ record: new TextDecoder().decode(record), checkpoint: checkpoint.value });
}
