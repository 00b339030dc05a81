import sodium from "sodium-native";

// By libsodium, because Node's own OpenSSL takes two and a half times as long, and one signature is what each batch costs.

const SIGNATURE_BYTES = 64;

/**
 * Whether the key signed the message (RFC 8032, Ed25519). `publicKey` is hexadecimal. Answers false, never throws, for a
 * wrong signature or key.
 */
export function isSignedBy(publicKey: string, message: Uint8Array, signature: Uint8Array): boolean {
  return isPublicKey(publicKey) && isSignedByBytes(Buffer.from(publicKey, "hex"), message, signature);
}

/** The same for a key that was found sound before: its 32 bytes. */
export function isSignedByBytes(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  return sodium.crypto_sign_verify_detached(signature as Buffer, message as Buffer, publicKey as Buffer);
}

/** Whether the text is 32 bytes in hexadecimal, as an Ed25519 public key is. What is no point of the curve signs nothing. */
export const isPublicKey = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);
