import { createPublicKey, verify as verifySignature, type KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";

/** Answers false, never throws, for a wrong signature or key. */
export type Verify = (signature: Uint8Array, message: Uint8Array, publicKey: string) => Promise<boolean>;

const keys = new LRUCache<string, KeyObject>({ max: 2_000 });

/** Verifies in Node's thread pool, off the relay's main loop. `publicKey` is hexadecimal. */
export const verify: Verify = (signature, message, publicKey) =>
  new Promise((resolve) => {
    const key = keyOf(publicKey);
    if (key === undefined || signature.length !== 64) return resolve(false);
    verifySignature(null, message, key, signature, (error, valid) => resolve(error === null && valid));
  });

/** Whether the text is an Ed25519 public key: 32 bytes in hexadecimal. */
export function isPublicKey(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text) && keyOf(text) !== undefined;
}

function keyOf(publicKey: string): KeyObject | undefined {
  const known = keys.get(publicKey);
  if (known !== undefined) return known;
  try {
    const x = Buffer.from(publicKey, "hex").toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    keys.set(publicKey, key);
    return key;
  } catch {
    return undefined;
  }
}
