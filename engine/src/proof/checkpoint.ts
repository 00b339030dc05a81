import { base64ToBytes, bytesToBase64 } from "../core/base64.ts";
import { hexToBytes } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { NoteError, NoteVerifier } from "./note.ts";
import { HASH_BYTES } from "./tree.ts";

// C2SP tlog-checkpoint: three lines of text, signed as a note.

/** What the relay promises of the log: its origin, how many leaves it has, and the root over them. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** A log's origin: one for each workspace and term, so that no two histories share a name. */
export const logOrigin = (workspace: string, term: string): string => `sampai.log/${workspace}/${term}`;

/** The term in an origin of this workspace, or null where it is another log's. */
export function termOfOrigin(origin: string, workspace: string): string | null {
  const prefix = logOrigin(workspace, "");
  return origin.startsWith(prefix) && origin.length > prefix.length ? origin.slice(prefix.length) : null;
}

/** The key that checks this workspace's notes. `rootKey` is hexadecimal. */
export function verifierOf(workspace: { readonly id: string; readonly rootKey: string }): NoteVerifier {
  return { name: `sampai.log/${workspace.id}`, publicKey: hexToBytes(workspace.rootKey) };
}

export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${bytesToBase64(root)}\n`;
}

/** Reads a note's text, whose signature was verified before. */
export function readCheckpointText(text: string): Result<Checkpoint, NoteError> {
  const [origin, sizeText, rootText] = text.split("\n");
  const size = Number(sizeText);
  const root = base64ToBytes(rootText ?? "");
  const isNumber = /^(0|[1-9]\d*)$/.test(sizeText ?? "") && Number.isSafeInteger(size);
  if (origin === undefined || !isNumber || root === null || root.length !== HASH_BYTES) {
    return err({ code: "note.malformed", detail: "not origin, size and root" });
  }
  return ok({ origin, size, root });
}
