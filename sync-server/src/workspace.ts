import { createPrivateKey, generateKeyPairSync, hkdfSync, randomBytes, sign } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { CannotStart } from "./stop-reasons.ts";

const fileSchema = z.strictObject({
  v: z.literal(1),
  id: z.string().min(1).max(60),
  zone: z.string().min(1).max(60),
  /** Ed25519 as JWK (RFC 8037). */
  key: z.strictObject({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string(), d: z.string() }),
});

/** Whose relay this is: the id that every event names, and the root key that signs certificates and packs. */
export interface Workspace {
  readonly id: string;
  /** IANA zone in which days are cut. */
  readonly zone: string;
  /** Hexadecimal Ed25519 public key. */
  readonly rootKey: string;
  /** Signs with the root key: 64 bytes. What is signed starts with the name of its purpose (`engine/wire` signing). */
  sign(message: Uint8Array): Uint8Array;
  /** 32 secret bytes of their own for each purpose, from the root key: HKDF-SHA256 (RFC 5869). */
  derive(purpose: string): Uint8Array;
  /** The root key's secret seed, for what was sealed for the workspace. It never leaves this process. */
  readonly rootSeed: Uint8Array;
}

/** Opens `workspace.json` in the data folder, or makes it on the first start. Only its owner may read it. */
export function openWorkspace(dataDir: string, zone: string): Workspace {
  const file = path.join(dataDir, "workspace.json");
  if (!existsSync(file)) create(file, zone);
  let parsed;
  try {
    parsed = fileSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new CannotStart("workspace.unreadable", `${file} is no JSON. Without its key, devices trust nothing.`);
  }
  if (!parsed.success) throw new CannotStart("workspace.unreadable", `${file}: ${parsed.error.issues[0]?.message}.`);
  const { id, key } = parsed.data;
  const seed = Buffer.from(key.d, "base64url");
  const secret = createPrivateKey({ key, format: "jwk" });
  return {
    id,
    zone: parsed.data.zone,
    rootKey: Buffer.from(key.x, "base64url").toString("hex"),
    sign: (message) => new Uint8Array(sign(null, message, secret)),
    rootSeed: new Uint8Array(seed),
    derive: (purpose) => new Uint8Array(hkdfSync("sha256", seed, id, purpose, 32)),
  };
}

// Whole or not at all: a kill in between must not leave half a key.
function create(file: string, zone: string): void {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { x, d } = privateKey.export({ format: "jwk" });
  const id = `w-${randomBytes(6).toString("hex")}`;
  const draft = `${file}.${process.pid}`;
  const descriptor = openSync(draft, "wx", 0o600);
  writeSync(descriptor, JSON.stringify({ v: 1, id, zone, key: { kty: "OKP", crv: "Ed25519", x, d } }, null, 2));
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(draft, file);
}
