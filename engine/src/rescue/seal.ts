import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "../core/hash.ts";

// Sealed for the workspace: an ephemeral X25519 key agrees with the root key (its Edwards point mapped to the Montgomery
// curve, RFC 7748 section 4.1, as libsodium's crypto_sign_ed25519_pk_to_curve25519 does), HKDF-SHA256 makes of both one
// key, XChaCha20-Poly1305 seals. So every enrolled phone can seal without asking anybody, and only the relay can open.

export const NONCE_BYTES = 24;
export const SECRET_BYTES = 32;

export interface Sealed {
  /** Public X25519 key of this one file. */
  readonly ephemeral: Uint8Array;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
}

/** `secret` and `nonce` are fresh random bytes; `about` is what the seal also covers and anybody can read. */
export function sealFor(
  rootKey: Uint8Array,
  content: Uint8Array,
  about: Uint8Array,
  fresh: { readonly secret: Uint8Array; readonly nonce: Uint8Array },
): Sealed {
  const ephemeral = x25519.getPublicKey(fresh.secret);
  const recipient = ed25519.utils.toMontgomery(rootKey);
  const key = keyOf(x25519.getSharedSecret(fresh.secret, recipient), ephemeral, recipient);
  return { ephemeral, nonce: fresh.nonce, sealed: xchacha20poly1305(key, fresh.nonce, about).encrypt(content) };
}

/** Opens with the secret seed of the root key. Null where one bit of content, key, nonce or `about` is not as it was. */
export function openSealed(
  rootSeed: Uint8Array,
  { ephemeral, nonce, sealed }: Sealed,
  about: Uint8Array,
): Uint8Array | null {
  try {
    const secret = ed25519.utils.toMontgomerySecret(rootSeed);
    const key = keyOf(x25519.getSharedSecret(secret, ephemeral), ephemeral, x25519.getPublicKey(secret));
    return xchacha20poly1305(key, nonce, about).decrypt(sealed);
  } catch {
    return null;
  }
}

function keyOf(shared: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array): Uint8Array {
  return hkdf(sha256, shared, concatBytes(ephemeral, recipient), utf8ToBytes("sampai.rescue.v1"), 32);
}
