import { err, ok, type Result } from "@sampai/engine/core";
import {
  checkpointText,
  noteText,
  readCheckpointText,
  splitNote,
  type Checkpoint,
  type NoteError,
  type NoteVerifier,
} from "@sampai/engine/proof";
import { createPublicKey, verify } from "node:crypto";

// An Ed25519 key in SPKI (RFC 8410): this prefix and the 32 raw bytes.
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Signs a checkpoint. `sign` answers the 64 bytes of Ed25519 over the text. */
export function signCheckpoint(
  checkpoint: Checkpoint,
  verifier: NoteVerifier,
  sign: (text: Uint8Array) => Uint8Array,
): string {
  const text = checkpointText(checkpoint);
  return noteText(text, verifier, sign(Buffer.from(text)));
}

/** Checks a signed checkpoint against one key and reads it. */
export function readCheckpoint(note: string, verifier: NoteVerifier): Result<Checkpoint, NoteError> {
  const split = splitNote(note, verifier);
  if (!split.ok) return split;
  const { text, signature } = split.value;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, verifier.publicKey]), format: "der", type: "spki" });
  if (!verify(null, Buffer.from(text), key, signature)) {
    return err({ code: "note.signature", detail: `the signature of ${verifier.name} does not verify` });
  }
  const checkpoint = readCheckpointText(text);
  return checkpoint.ok ? ok(checkpoint.value) : checkpoint;
}
