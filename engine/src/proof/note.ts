import { base64ToBytes, bytesToBase64 } from "../core/base64.ts";
import { bytesEqual, bytesToHex, concatBytes, sha256Bytes, utf8ToBytes } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";

// C2SP signed-note: a text and, under an empty line, Ed25519 signatures that name their key.

/** The key that checks notes. */
export interface NoteVerifier {
  readonly name: string;
  /** 32 raw bytes of Ed25519. */
  readonly publicKey: Uint8Array;
}

export type NoteError = {
  readonly code: "note.malformed" | "note.unsigned" | "note.signature";
  readonly detail: string;
};

const ED25519 = 1;
const SIGNATURE_BYTES = 64;
/** A dash, the key's name, and base64. */
const SIGNATURE = /^— [^+\s]+ [A-Za-z0-9+/]+={0,2}$/u;

/** Makes a note of a text out of the 64 bytes of Ed25519 over it. */
export function noteText(text: string, verifier: NoteVerifier, signature: Uint8Array): string {
  return `${text}\n— ${verifier.name} ${bytesToBase64(concatBytes(keyHash(verifier), signature))}\n`;
}

/**
 * Takes a note apart: its text, and the signature that claims to be by this key. Signatures of other keys are passed
 * over. Whether the signature verifies is for the caller to find out, with whatever Ed25519 its platform has.
 */
export function splitNote(
  note: string,
  verifier: NoteVerifier,
): Result<{ readonly text: string; readonly signature: Uint8Array }, NoteError> {
  const end = note.lastIndexOf("\n\n");
  if (end < 0) return err({ code: "note.malformed", detail: "no signature block" });
  const wanted = keyHash(verifier);
  const lines = note.slice(end + 2).split("\n");
  // Nothing stands in or behind the signatures that nobody has signed: two notes that say the same are the same text.
  if (lines.pop() !== "" || lines.some((line) => !SIGNATURE.test(line)))
    return err({ code: "note.malformed", detail: "what follows the text is not signatures alone" });
  for (const line of lines) {
    const [, name, encoded] = line.split(" ");
    if (name !== verifier.name || encoded === undefined) continue;
    const bytes = base64ToBytes(encoded);
    if (bytes === null || bytes.length !== wanted.length + SIGNATURE_BYTES) continue;
    if (!bytesEqual(bytes.subarray(0, wanted.length), wanted)) continue;
    return ok({ text: note.slice(0, end + 1), signature: bytes.subarray(wanted.length) });
  }
  return err({ code: "note.unsigned", detail: `no signature by ${verifier.name} with this key` });
}

/** The verifier key as signed-note prints it: `name+01234567+base64`. */
export function verifierText(verifier: NoteVerifier): string {
  const key = bytesToBase64(concatBytes(Uint8Array.of(ED25519), verifier.publicKey));
  return `${verifier.name}+${bytesToHex(keyHash(verifier))}+${key}`;
}

export function readVerifier(text: string): Result<NoteVerifier, NoteError> {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  const key = base64ToBytes(match?.[3] ?? "");
  if (match === null || key === null || key.length !== 33 || key[0] !== ED25519) {
    return err({ code: "note.malformed", detail: "not a verifier key of the form name+hash+key" });
  }
  const verifier = { name: match[1] as string, publicKey: key.slice(1) };
  if (bytesToHex(keyHash(verifier)) !== match[2])
    return err({ code: "note.malformed", detail: "the key's hash is wrong" });
  return ok(verifier);
}

function keyHash({ name, publicKey }: NoteVerifier): Uint8Array {
  return sha256Bytes(concatBytes(utf8ToBytes(`${name}\n`), Uint8Array.of(ED25519), publicKey)).subarray(0, 4);
}
