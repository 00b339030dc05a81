import type { Random } from "../src/core/random.ts";

/** The platform's cryptographic random source, on Node and in browsers. */
export function createSystemRandom(): Random {
  return { bytes: (length) => globalThis.crypto.getRandomValues(new Uint8Array(length)) };
}
