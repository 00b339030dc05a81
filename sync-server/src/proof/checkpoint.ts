import { createHash, createPublicKey, verify } from "node:crypto";
import { err, ok, type Result } from "@sampai/engine/core";

// C2SP signed-note and tlog-checkpoint: three lines of text and an Ed25519 signature that names its key.

/** What the relay promises of the log: its origin, how many leaves it has, and the root over them. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** The key that checks notes: `name+hash+key` as signed-note writes it. */
export interface NoteVerifier {
  readonly name: string;
  readonly publicKey: Uint8Array;
}

export type NoteError = {
  readonly code: "note.malformed" | "note.unsigned" | "note.signature";
  readonly detail: string;
};

const ED25519 = 1;
// An Ed25519 key in SPKI (RFC 8410): this prefix and the 32 raw bytes.
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

function keyHash({ name, publicKey }: NoteVerifier): Buffer {
  return createHash("sha256")
    .update(`${name}\n`)
    .update(Uint8Array.of(ED25519))
    .update(publicKey)
    .digest()
    .subarray(0, 4);
}

export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
}

/** Makes a note of a text. `sign` answers the 64 bytes of Ed25519 over the text. */
export function signNote(text: string, verifier: NoteVerifier, sign: (text: Uint8Array) => Uint8Array): string {
  const signature = sign(Buffer.from(text));
  return `${text}\n— ${verifier.name} ${Buffer.concat([keyHash(verifier), signature]).toString("base64")}\n`;
}

/** Checks a note against one key and answers its text. Signatures of other keys are passed over. */
export function openNote(note: string, verifier: NoteVerifier): Result<string, NoteError> {
  const end = note.lastIndexOf("\n\n");
  if (end < 0) return err({ code: "note.malformed", detail: "no signature block" });
  const text = note.slice(0, end + 1);
  const wanted = keyHash(verifier);
  for (const line of note.slice(end + 2).split("\n")) {
    const [dash, name, encoded] = line.split(" ");
    if (dash !== "—" || name !== verifier.name || encoded === undefined) continue;
    const bytes = Buffer.from(encoded, "base64");
    if (!bytes.subarray(0, 4).equals(wanted)) continue;
    const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, verifier.publicKey]), format: "der", type: "spki" });
    return verify(null, Buffer.from(text), key, bytes.subarray(4))
      ? ok(text)
      : err({ code: "note.signature", detail: `the signature of ${name} does not verify` });
  }
  return err({ code: "note.unsigned", detail: `no signature by ${verifier.name} with this key` });
}

export function readCheckpoint(note: string, verifier: NoteVerifier): Result<Checkpoint, NoteError> {
  const opened = openNote(note, verifier);
  if (!opened.ok) return opened;
  const [origin, sizeText, rootText] = opened.value.split("\n");
  const size = Number(sizeText);
  const root = Buffer.from(rootText ?? "", "base64");
  if (origin === undefined || !/^\d+$/.test(sizeText ?? "") || !Number.isSafeInteger(size) || root.length !== 32) {
    return err({ code: "note.malformed", detail: "not origin, size and root" });
  }
  return ok({ origin, size, root });
}

/** The verifier key as signed-note prints it: `name+01234567+base64`. */
export function verifierText(verifier: NoteVerifier): string {
  const key = Buffer.concat([Uint8Array.of(ED25519), verifier.publicKey]).toString("base64");
  return `${verifier.name}+${keyHash(verifier).toString("hex")}+${key}`;
}

export function readVerifier(text: string): Result<NoteVerifier, NoteError> {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  const key = Buffer.from(match?.[3] ?? "", "base64");
  if (match === null || key.length !== 33 || key[0] !== ED25519) {
    return err({ code: "note.malformed", detail: "not a verifier key of the form name+hash+key" });
  }
  const verifier = { name: match[1] as string, publicKey: new Uint8Array(key.subarray(1)) };
  if (keyHash(verifier).toString("hex") !== match[2])
    return err({ code: "note.malformed", detail: "the key's hash is wrong" });
  return ok(verifier);
}
