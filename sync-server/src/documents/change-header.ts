/**
 * Reads an Automerge change without Automerge: what must be known before Automerge may see it costs microseconds here,
 * while 108 bytes can make Automerge work for seconds. Source: the Automerge binary format specification,
 * https://automerge.org/automerge-binary-format-spec/ (chunks, change chunks, run-length columns).
 */
import { hash } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import { err, ok, type Result } from "@sampai/engine";
import { limits, type Refusal } from "@sampai/engine/wire";
import { BinaryReader } from "./binary-reader.ts";

/** What stands in front of a change, and how much work its columns claim. */
export interface ChangeHeader {
  /** SHA-256 of the uncompressed chunk, hexadecimal: the change's name. */
  readonly hash: string;
  readonly deps: readonly string[];
  /** Hexadecimal. */
  readonly actor: string;
  /** Counts this actor's changes from 1. */
  readonly seq: number;
  /** Number of the first operation. */
  readonly startOp: number;
  /** Number of the last operation: `startOp - 1` where there is none. */
  readonly maxOp: number;
  /** As the author wrote it: milliseconds since 1970 in our changes, seconds in those of stock clients. */
  readonly time: number;
  readonly message: string;
  /** Counted from the run lengths of the action column. */
  readonly operations: number;
  /** The chunk as it came. */
  readonly bytes: Uint8Array;
}

export type Chunk =
  | { readonly type: "change"; readonly header: ChangeHeader }
  /** A whole document or a bundle: its columns are not looked into. */
  | { readonly type: "document"; readonly bytes: Uint8Array };

const MAGIC = [0x85, 0x6f, 0x4a, 0x83] as const;
const CHECKSUM_BYTES = 4;
const DOCUMENT = 0;
const CHANGE = 1;
const COMPRESSED_CHANGE = 2;
/** A change that inflates to more than this is refused: an honest one of 64 KiB inflates about fourfold. */
const INFLATED_BYTES = 4 * limits.changeBytes;
/** Run lengths repeat strings too: keys and marks of one change may not unfold to more than this many bytes. */
const UNFOLDED_STRING_BYTES = 1_048_576;

const utf8 = new TextDecoder("utf-8", { fatal: true });

const KEY_STRING = 0x15;
const ACTION = 0x42;
const PREDECESSORS = 0x70;
const MARK_NAME = 0xa5;

/**
 * Reads concatenated chunks. The first chunk that is not sound refuses them all: behind it nobody knows where the next
 * one starts. A sound change that claims too much is refused by its hash, in `refused`, and the others are kept.
 */
export function readChunks(
  bytes: Uint8Array,
): Result<
  { readonly chunks: readonly Chunk[]; readonly refused: readonly { hash: string; refusal: Refusal }[] },
  Refusal
> {
  const reader = new BinaryReader(bytes);
  const chunks: Chunk[] = [];
  const refused: { hash: string; refusal: Refusal }[] = [];
  try {
    while (!reader.done) {
      const start = reader.offset;
      for (const byte of MAGIC) if (reader.byte() !== byte) return malformed("no chunk starts here");
      const checksum = reader.take(CHECKSUM_BYTES);
      const type = reader.byte();
      const body = reader.take(reader.unsigned());
      const chunk = bytes.subarray(start, reader.offset);
      if (type === DOCUMENT) {
        if (!matches(checksum, chunkHash(DOCUMENT, body))) return malformed("the checksum is wrong");
        chunks.push({ type: "document", bytes: chunk });
        continue;
      }
      if (type !== CHANGE && type !== COMPRESSED_CHANGE) return malformed(`unknown chunk type ${type}`);
      if (chunk.length > limits.changeBytes) return err({ code: "change.oversized" });
      let plain = body;
      if (type === COMPRESSED_CHANGE) {
        const inflated = inflate(body);
        if (!inflated.ok) return inflated;
        plain = inflated.value;
      }
      const digest = chunkHash(CHANGE, plain);
      if (!matches(checksum, digest)) return malformed("the checksum is wrong");
      const name = digest.toString("hex");
      const header = readHeader(name, plain, chunk);
      if (header.ok) chunks.push({ type: "change", header: header.value });
      else refused.push({ hash: name, refusal: header.error });
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof Error) return malformed(error.message);
    throw error;
  }
  return ok({ chunks, refused });
}

/** Whether stored bytes are one or more sound chunks: their checksums are right and nothing is missing. */
export function soundChunks(bytes: Uint8Array): boolean {
  const read = readChunks(bytes);
  return read.ok && read.value.refused.length === 0 && read.value.chunks.length > 0;
}

/**
 * The map keys that a stored change writes, of whichever objects: what it may touch, without a document. Throws where
 * the bytes are no sound change.
 */
export function changedKeys(change: Uint8Array): ReadonlySet<string> {
  const reader = new BinaryReader(change);
  reader.take(MAGIC.length + CHECKSUM_BYTES);
  const type = reader.byte();
  const body = reader.take(reader.unsigned());
  const plain = type === COMPRESSED_CHANGE ? inflateRawSync(body, { maxOutputLength: INFLATED_BYTES }) : body;
  const keys = new Set<string>();
  for (const { spec, column } of readParts(plain).columns) {
    if (spec === KEY_STRING) runLengths(column, "string", (key) => keys.add(utf8.decode(key)));
  }
  return keys;
}

/** What stands in front of a change's operations, and its columns as they are. */
function readParts(body: Uint8Array) {
  const reader = new BinaryReader(body);
  const deps = Array.from({ length: bounded(reader.unsigned(), 1_000) }, () => hex(reader.take(32)));
  const actor = hex(reader.take(bounded(reader.unsigned(), 64)));
  const seq = reader.unsigned();
  const startOp = reader.unsigned();
  const time = reader.signed();
  const message = utf8.decode(reader.take(reader.unsigned()));
  for (let others = bounded(reader.unsigned(), 10_000); others > 0; others -= 1) {
    reader.take(bounded(reader.unsigned(), 64));
  }
  const specs = Array.from({ length: bounded(reader.unsigned(), 100) }, () => ({
    spec: reader.unsigned(),
    length: reader.unsigned(),
  }));
  const columns = specs.map(({ spec, length }) => ({ spec, column: reader.take(length) }));
  return { deps, actor, seq, startOp, time, message, columns };
}

function readHeader(name: string, body: Uint8Array, bytes: Uint8Array): Result<ChangeHeader, Refusal> {
  const { columns, ...head } = readParts(body);
  let operations = 0;
  for (const { spec, column } of columns) {
    if ((spec & 0x08) !== 0) return malformed("a column of a change is compressed");
    if (spec === ACTION) operations = runLengths(column, "number").rows;
    // One operation can claim any number of predecessors, and one long key can be claimed by every operation.
    if (spec === PREDECESSORS && runLengths(column, "number").sum > limits.changeOperations) {
      return err({ code: "change.operations", detail: "too many predecessors" });
    }
    if (
      (spec === KEY_STRING || spec === MARK_NAME) &&
      runLengths(column, "string").stringBytes > UNFOLDED_STRING_BYTES
    ) {
      return err({ code: "change.operations", detail: "too long keys" });
    }
  }
  if (operations > limits.changeOperations) {
    return err({ code: "change.operations", detail: `${operations} operations` });
  }
  const { startOp, seq } = head;
  const maxOp = startOp + operations - 1;
  if (startOp < 1 || seq < 1 || !Number.isSafeInteger(maxOp)) return malformed("impossible numbers");
  return ok({ hash: name, ...head, maxOp, operations, bytes });
}

/**
 * Walks a run-length column, telling of each string once per run, without unfolding it: a positive length repeats the value behind it, a negative one is
 * followed by that many values, zero by a count of nulls.
 */
function runLengths(column: Uint8Array, kind: "number" | "string", onString?: (value: Uint8Array) => void) {
  const reader = new BinaryReader(column);
  let rows = 0;
  let sum = 0;
  let stringBytes = 0;
  const value = (times: number) => {
    if (kind === "number") {
      sum += reader.unsigned() * times;
      return;
    }
    const length = reader.unsigned();
    const text = reader.take(length);
    onString?.(text);
    stringBytes += length * times;
  };
  while (!reader.done) {
    const length = reader.signed();
    if (length > 0) {
      rows += length;
      value(length);
    } else if (length === 0) {
      rows += reader.unsigned();
    } else {
      rows -= length;
      if (-length > column.length) return { rows, sum: Infinity, stringBytes: Infinity };
      for (let left = -length; left > 0; left -= 1) value(1);
    }
  }
  return { rows, sum, stringBytes };
}

function inflate(body: Uint8Array): Result<Uint8Array, Refusal> {
  try {
    return ok(inflateRawSync(body, { maxOutputLength: INFLATED_BYTES }));
  } catch (error) {
    const tooLarge = (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    return tooLarge ? err({ code: "change.oversized", detail: "inflated" }) : malformed("cannot be inflated");
  }
}

function chunkHash(type: number, body: Uint8Array): Buffer {
  const head = [type];
  for (let rest = body.length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      head.push(rest);
      break;
    }
    head.push((rest % 128) | 0x80);
  }
  // In one go: a hash object costs more than the hashing of a small change.
  return hash("sha256", Buffer.concat([Uint8Array.from(head), body]), "buffer");
}

function matches(checksum: Uint8Array, digest: Buffer): boolean {
  return Buffer.compare(checksum, digest.subarray(0, CHECKSUM_BYTES)) === 0;
}

function bounded(count: number, most: number): number {
  if (count > most) throw new RangeError(`${count} is more than ${most}`);
  return count;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
const malformed = (detail: string) => err({ code: "change.malformed", detail } satisfies Refusal);
