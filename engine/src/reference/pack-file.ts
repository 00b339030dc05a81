import type { Crypto } from "../core/crypto.ts";
import { bytesToHex, hexToBytes, sha256Hex, utf8ToBytes } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";
import { limits } from "../wire/limits.ts";
import type { RefusalCode } from "../wire/refusals.ts";
import { packMessage } from "../wire/signing.ts";
import { packSchema, type Pack } from "./pack.ts";

/** A pack as it travels and is kept: the signed bytes are the truth, the rest is read from them. */
export interface PackFile {
  readonly number: number;
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes, hexadecimal. */
  readonly sha256: string;
  /** The workspace root key's Ed25519 signature over `packMessage(sha256)`, hexadecimal. */
  readonly signature: string;
}

/**
 * Why a pack's bytes are not taken. `pack.signature`: this workspace's root key did not sign them. `pack.malformed`:
 * signed, but not a pack that this version can read. `pack.number`: signed and well formed, but not the pack asked for.
 */
export interface PackError {
  readonly code: Extract<RefusalCode, "pack.signature" | "pack.malformed" | "pack.number">;
  readonly detail: string;
}

/**
 * The one way to write a JSON value: keys sorted by code unit at every depth, no white space. For packs, which hold only
 * text, integers, booleans, lists and objects, this is RFC 8785 (JSON Canonicalization Scheme).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}

/** The bytes of a pack, the same for the same content whoever writes them. */
export function packBytes(pack: Pack): Uint8Array {
  return utf8ToBytes(canonicalJson(packSchema.parse(pack)));
}

/** SHA-256 of what a pack says, apart from its number and date: two packs that say the same share it. */
export function packContentHash(pack: Pack): string {
  const { number: _number, issuedAt: _issuedAt, ...content } = packSchema.parse(pack);
  return sha256Hex(utf8ToBytes(canonicalJson(content)));
}

/** Signs a pack with the workspace's root key (32 raw bytes of an Ed25519 secret key). */
export async function sealPack(pack: Pack, rootSecretKey: Uint8Array, crypto: Crypto): Promise<PackFile> {
  const bytes = packBytes(pack);
  const sha256 = sha256Hex(bytes);
  const signature = await crypto.sign(packMessage(sha256), rootSecretKey);
  return { number: pack.number, bytes, sha256, signature: bytesToHex(signature) };
}

/** Checks the signature first and reads the bytes only then: nothing that HQ did not sign is parsed. */
export async function openPack(
  file: Pick<PackFile, "bytes" | "signature">,
  expected: { readonly workspace: string; readonly rootKey: string; readonly number: number },
  crypto: Crypto,
): Promise<Result<{ readonly pack: Pack; readonly sha256: string }, PackError>> {
  if (file.bytes.length > limits.packBytes) {
    return err({ code: "pack.malformed", detail: `larger than ${limits.packBytes} bytes` });
  }
  const sha256 = sha256Hex(file.bytes);
  const hex = /^[0-9a-f]*$/;
  if (file.signature.length !== 128 || !hex.test(file.signature) || !/^[0-9a-f]{64}$/.test(expected.rootKey)) {
    return err({ code: "pack.signature", detail: `pack ${expected.number} carries no readable signature` });
  }
  const signed = await crypto.verify(hexToBytes(file.signature), packMessage(sha256), hexToBytes(expected.rootKey));
  if (!signed) {
    return err({ code: "pack.signature", detail: `pack ${expected.number}, SHA-256 ${sha256.slice(0, 12)}…` });
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.bytes));
  } catch {
    return err({ code: "pack.malformed", detail: "not UTF-8 JSON" });
  }
  const parsed = packSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const detail = issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`;
    return err({ code: "pack.malformed", detail: detail.slice(0, 200) });
  }
  const pack = parsed.data;
  if (pack.workspace !== expected.workspace) {
    return err({ code: "pack.number", detail: `this pack belongs to workspace ${pack.workspace}` });
  }
  if (pack.number !== expected.number) {
    return err({ code: "pack.number", detail: `asked for pack ${expected.number}, got pack ${pack.number}` });
  }
  return ok({ pack, sha256 });
}
