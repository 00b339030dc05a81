import * as A from "@automerge/automerge/slim";
import { bytesToHex, sha256Hex } from "../core/hash.ts";

/** One Automerge chunk: a `change`, or a `document` that holds many. */
export interface Chunk {
  readonly type: "change" | "document";
  readonly bytes: Uint8Array;
  /** The change's hash; null for a document. */
  readonly hash: string | null;
}

/** The bytes are no whole chunk from `offset` on. Chunks before it are good. */
export interface ChunkDamage {
  readonly offset: number;
  readonly reason: string;
}

const MAGIC = "856f4a83";
const HEADER_BYTES = 9;

/**
 * Splits concatenated chunks and checks each one's checksum: neither `loadIncremental` nor `applyChanges` reports bad
 * bytes reliably. Layout (Automerge binary format): magic, 4 bytes of checksum, type, LEB128 length, content; the hash
 * is SHA-256 over type, length and content, the checksum its first 4 bytes. A compressed change (type 2) is hashed as
 * if it were not compressed.
 */
export function readChunks(bytes: Uint8Array): { chunks: Chunk[]; damage: ChunkDamage | null } {
  const chunks: Chunk[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const chunk = readChunk(bytes, offset);
    if (typeof chunk === "string") return { chunks, damage: { offset, reason: chunk } };
    chunks.push(chunk);
    offset += chunk.bytes.length;
  }
  return { chunks, damage: null };
}

function readChunk(all: Uint8Array, offset: number): Chunk | string {
  if (offset + HEADER_BYTES >= all.length) return "torn header";
  if (bytesToHex(all.subarray(offset, offset + 4)) !== MAGIC) return "not an Automerge chunk";
  const checksum = bytesToHex(all.subarray(offset + 4, offset + 8));
  const type = all[offset + 8] as number;
  if (type > 2) return `unknown chunk type ${type}`;
  let length = 0;
  let at = offset + HEADER_BYTES;
  for (let shift = 0; ; shift += 7) {
    const byte = all[at];
    if (byte === undefined || shift > 28) return "torn length";
    length += (byte & 0x7f) * 2 ** shift;
    at += 1;
    if (byte < 0x80) break;
  }
  if (at + length > all.length) return "torn content";
  const bytes = all.subarray(offset, at + length);
  const hash = type === 2 ? compressedHash(bytes) : sha256Hex(bytes.subarray(8));
  if (hash?.slice(0, 8) !== checksum) return "wrong checksum";
  return type === 0 ? { type: "document", bytes, hash: null } : { type: "change", bytes, hash };
}

function compressedHash(bytes: Uint8Array): string | null {
  try {
    return A.decodeChange(bytes).hash;
  } catch {
    return null;
  }
}
