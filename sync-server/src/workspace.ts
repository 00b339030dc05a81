import { createPrivateKey, generateKeyPairSync, hkdfSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { databaseFile } from "./database/connection.ts";
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

const fileIn = (dataDir: string) => path.join(dataDir, "workspace.json");

/**
 * Opens `workspace.json` in the data folder, or makes it on the first start. Only its owner may read it. A folder that
 * has a database had a first start: there no key is made. Throws `CannotStart`.
 */
export function openWorkspace(dataDir: string, zone: string): Workspace {
  const file = fileIn(dataDir);
  if (!existsSync(file) && !existsSync(databaseFile(dataDir))) create(file, zone);
  const read = readWorkspaceFile(dataDir, fileSchema);
  const { id, key } = read;
  const seed = Buffer.from(key.d, "base64url");
  const secret = secretOf(key, file);
  return {
    id,
    zone: read.zone,
    rootKey: Buffer.from(key.x, "base64url").toString("hex"),
    sign: (message) => new Uint8Array(sign(null, message, secret)),
    rootSeed: new Uint8Array(seed),
    derive: (purpose) => new Uint8Array(hkdfSync("sha256", seed, id, purpose, 32)),
  };
}

/** What `workspace.json` says of what `schema` asks for. Throws `CannotStart`. */
export function readWorkspaceFile<T>(dataDir: string, schema: z.ZodType<T>): T {
  const file = fileIn(dataDir);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new CannotStart("workspace.missing", `${file} is not there.`);
    throw new CannotStart("workspace.unreadable", `${file}: ${String(code)}.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CannotStart("workspace.unreadable", `${file} is no JSON. Without its key, devices trust nothing.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = [file, ...(issue?.path ?? [])].join(" ");
  throw new CannotStart("workspace.unreadable", `${where}: ${issue?.message ?? ""}.`);
}

function secretOf(key: z.infer<typeof fileSchema>["key"], file: string): KeyObject {
  try {
    return createPrivateKey({ key, format: "jwk" });
  } catch {
    throw new CannotStart("workspace.unreadable", `${file}: its key is no Ed25519 key.`);
  }
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
