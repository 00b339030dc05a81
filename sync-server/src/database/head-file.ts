import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { z } from "zod";
import { CannotStart } from "../stop-reasons.ts";

const count = z.int().min(0);
const headSchema = z.strictObject({
  v: z.literal(1),
  workspace: z.string(),
  term: z.string(),
  /** Nonce of the start in which the newest rows were written; empty before the first start. */
  start: z.string(),
  /** Next positions of the order log, the trail and the stream of document changes. */
  log: count,
  trail: count,
  documents: count,
  /** The largest log that was ever promised in each term. */
  known: z.array(z.tuple([z.string(), count])),
  /** Where the terms that were raised began. */
  began: z.array(z.tuple([z.string(), count])).default([]),
  /** Devices that are revoked. */
  revoked: z.array(z.string()),
});
/** How far the relay has come, as it stands outside the data folder: what a restored folder is compared with. */
export type Head = z.infer<typeof headSchema>;

/** Writes the head so that it outlives the next moment: on disk when `write` returns. */
export interface HeadFile {
  write(head: Head): void;
  close(): void;
}

// Two slots, written in turn, so that a torn write leaves the one before. A slot: length (4 bytes), number (8), SHA-256
// of what follows (32), JSON. The file never grows, so that one write costs one flush of data and none of metadata.
const SLOT_BYTES = 262_144;
const HEADER_BYTES = 44;

/** Beside the data folder and not in it: a copy of the folder must not bring an older head along. */
export const defaultHeadFile = (dataDir: string): string => `${path.resolve(dataDir)}.head`;

/** The newest whole head, or null where none was ever written. Throws `CannotStart`. */
export function readHeadFile(file: string, workspace: string): Head | null {
  const newest = newestSlot(file);
  if (newest === null) return null;
  if (newest.head.workspace !== workspace) {
    throw new CannotStart("head.foreign", `${file} belongs to workspace ${newest.head.workspace}.`);
  }
  return newest.head;
}

/** Opens the file, or makes it. Throws `CannotStart`. */
export function openHeadFile(file: string): HeadFile {
  let number = newestSlot(file)?.number ?? 0;
  const descriptor = openWhole(file);
  let written = "";
  return {
    write: (head) => {
      const text = JSON.stringify(head);
      if (text === written) return;
      number += 1;
      const slot = slotBytes(text, number);
      writeSync(descriptor, slot, 0, slot.length, (number % 2) * SLOT_BYTES);
      fdatasyncSync(descriptor);
      written = text;
    },
    close: () => closeSync(descriptor),
  };
}

function openWhole(file: string): number {
  try {
    const isNew = !existsSync(file);
    const descriptor = openSync(file, isNew ? "wx+" : "r+", 0o600);
    ftruncateSync(descriptor, 2 * SLOT_BYTES);
    if (isNew) {
      writeSync(descriptor, new Uint8Array(2 * SLOT_BYTES), 0, 2 * SLOT_BYTES, 0);
      fsyncSync(descriptor);
      flushFolder(path.dirname(file));
    }
    return descriptor;
  } catch (error) {
    throw new CannotStart("head.unusable", `${file}: ${String((error as NodeJS.ErrnoException).code)}.`);
  }
}

function slotBytes(text: string, number: number): Uint8Array {
  const json = Buffer.from(text);
  if (json.length > SLOT_BYTES - HEADER_BYTES) throw new Error(`the head is ${json.length} bytes long`);
  const slot = Buffer.alloc(HEADER_BYTES + json.length);
  slot.writeUInt32BE(json.length, 0);
  slot.writeBigUInt64BE(BigInt(number), 4);
  checksum(number, json).copy(slot, 12);
  json.copy(slot, HEADER_BYTES);
  return slot;
}

function newestSlot(file: string): { readonly number: number; readonly head: Head } | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    // A part of its path is a file, so nothing is there either.
    if (code === "ENOTDIR") throw new CannotStart("head.unusable", `${file}: ${code}.`);
    throw new CannotStart("head.unreadable", `${file}: ${String(code)}.`);
  }
  const slots = [0, SLOT_BYTES].flatMap((at) => readSlot(bytes.subarray(at, at + SLOT_BYTES)) ?? []);
  const newest = slots.sort((a, b) => b.number - a.number)[0];
  // A kill before the first write left zeros.
  if (newest === undefined && bytes.some((byte) => byte !== 0)) throw new CannotStart("head.unreadable", `${file}.`);
  return newest ?? null;
}

function readSlot(slot: Buffer): { readonly number: number; readonly head: Head } | null {
  if (slot.length < HEADER_BYTES) return null;
  const length = slot.readUInt32BE(0);
  const number = Number(slot.readBigUInt64BE(4));
  const json = slot.subarray(HEADER_BYTES, HEADER_BYTES + length);
  if (length === 0 || json.length !== length || !checksum(number, json).equals(slot.subarray(12, HEADER_BYTES))) {
    return null;
  }
  const head = headSchema.safeParse(JSON.parse(json.toString()));
  return head.success ? { number, head: head.data } : null;
}

function checksum(number: number, json: Uint8Array): Buffer {
  return createHash("sha256").update(`${number}\n`).update(json).digest();
}

// The name of a new file is durable only when its folder is. Windows cannot flush a folder and needs not.
function flushFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
