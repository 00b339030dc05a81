import { concatBytes, sha256Bytes } from "../core/hash.ts";
import { encodeFrame } from "../wire/codec.ts";

/**
 * The id of the document about `key`: base58check of the first 16 bytes of SHA-256(CBOR [workspace, kind, key]).
 * Everybody who makes the same document offline gives it the same id, and automerge-repo accepts it as one of its own.
 */
export function documentId(workspace: string, kind: string, key: string): string {
  return base58check(sha256Bytes(encodeFrame([workspace, kind, key])).slice(0, 16));
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Bytes and the first 4 of their double SHA-256, in Bitcoin's base 58, as automerge-repo writes document ids. */
function base58check(payload: Uint8Array): string {
  const bytes = concatBytes(payload, sha256Bytes(sha256Bytes(payload)).slice(0, 4));
  let number = 0n;
  for (const byte of bytes) number = number * 256n + BigInt(byte);
  let text = "";
  for (; number > 0n; number /= 58n) text = `${ALPHABET.charAt(Number(number % 58n))}${text}`;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros < 0 ? bytes.length : zeros) + text;
}
