import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

// Wherever there is nothing but the language: in browsers and WebViews.

/** SHA-256 as 32 bytes. */
export const sha256Bytes = (bytes: Uint8Array): Uint8Array => sha256(bytes);

/** SHA-256 as 64 lower-case hexadecimal digits. */
export const sha256Hex = (bytes: Uint8Array): string => bytesToHex(sha256(bytes));
