import { ed25519 } from "@noble/curves/ed25519.js";
import type { Crypto } from "../src/core/crypto.ts";
import type { Random } from "../src/core/random.ts";

/** Ed25519 in plain JavaScript, for WebViews: not every phone's WebCrypto knows the curve. */
export function createNobleCrypto(random: Random): Crypto {
  return {
    generateKeyPair: async () => ed25519.keygen(random.bytes(32)),
    sign: async (message, secretKey) => ed25519.sign(message, secretKey),
    verify: async (signature, message, publicKey) => {
      try {
        // RFC 8032 strictly, not ZIP 215: then this answers as node:crypto does.
        return ed25519.verify(signature, message, publicKey, { zip215: false });
      } catch {
        return false;
      }
    },
  };
}
