import { assert } from "../core/assert.ts";
import { utf8ToBytes } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";
import { crc32 } from "./crc32.ts";
import type { StorageDamage, StorageWrite } from "./storage.ts";

/*
 * One write-once file, little-endian:
 *   "SMP1" | length of data u32 | CRC-32 of data u32 | data
 * data, for each write:
 *   key length u8 | key | value length u32 (0xffffffff: the key was removed) | value
 */
const MAGIC = utf8ToBytes("SMP1");
const FRAME_BYTES = 12;
const REMOVED = 0xffffffff;

/** A write, and where in the file its value's bytes lie; null for a removal. */
export interface SegmentEntry {
  readonly key: string;
  readonly at: { readonly offset: number; readonly length: number } | null;
}

/** Bytes that a write takes in a file. */
export function entryBytes(keyLength: number, valueLength: number): number {
  return 5 + keyLength + valueLength;
}

/** The file, and its writes in order with the places of their values. */
export function encodeSegment(writes: readonly StorageWrite[]): {
  readonly file: Uint8Array;
  readonly entries: readonly SegmentEntry[];
} {
  const length = writes.reduce((sum, { key, value }) => sum + entryBytes(key.length, value?.length ?? 0), 0);
  const file = new Uint8Array(FRAME_BYTES + length);
  const view = new DataView(file.buffer);
  const entries: SegmentEntry[] = [];
  let offset = FRAME_BYTES;
  for (const { key, value } of writes) {
    file[offset] = key.length;
    file.set(utf8ToBytes(key), offset + 1);
    offset += 1 + key.length;
    view.setUint32(offset, value === null ? REMOVED : value.length, true);
    offset += 4;
    entries.push({ key, at: value === null ? null : { offset, length: value.length } });
    if (value !== null) file.set(value, offset);
    offset += value?.length ?? 0;
  }
  assert(offset === file.length, "a segment file is as long as it was planned");
  file.set(MAGIC, 0);
  view.setUint32(4, length, true);
  view.setUint32(8, crc32(file.subarray(FRAME_BYTES)), true);
  return { file, entries };
}

/** Reads a whole file. Never throws, whatever the bytes are. */
export function decodeSegment(file: Uint8Array): Result<readonly SegmentEntry[], StorageDamage["reason"]> {
  if (file.length < FRAME_BYTES) return err("torn");
  if (MAGIC.some((byte, index) => file[index] !== byte)) return err("checksum");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = view.getUint32(4, true);
  if (file.length < FRAME_BYTES + length) return err("torn");
  if (file.length > FRAME_BYTES + length) return err("checksum");
  if (crc32(file.subarray(FRAME_BYTES)) !== view.getUint32(8, true)) return err("checksum");
  const entries: SegmentEntry[] = [];
  const decoder = new TextDecoder();
  let offset = FRAME_BYTES;
  // The checksum was right, so these bytes are what was written; the bounds are for a writer with another mind.
  while (offset < file.length) {
    const keyEnd = offset + 1 + (file[offset] as number);
    if (keyEnd + 4 > file.length) return err("unreadable");
    const key = decoder.decode(file.subarray(offset + 1, keyEnd));
    const valueLength = view.getUint32(keyEnd, true);
    offset = keyEnd + 4;
    if (valueLength === REMOVED) {
      entries.push({ key, at: null });
      continue;
    }
    if (offset + valueLength > file.length) return err("unreadable");
    entries.push({ key, at: { offset, length: valueLength } });
    offset += valueLength;
  }
  return ok(entries);
}
