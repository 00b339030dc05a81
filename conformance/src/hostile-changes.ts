import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";

// Changes that no honest phone makes, put together byte by byte from Automerge's binary format, with true checksums.

const MAGIC = Uint8Array.of(0x85, 0x6f, 0x4a, 0x83);
const [CHANGE, COMPRESSED] = [1, 2];

/** One change of some 100 bytes whose columns claim, by run length, that many operations. */
export function runLengthBomb(actor: string, operations: number): Uint8Array {
  const columns: [specification: number, data: number[]][] = [
    [0x15, [...signed(operations), 4, ...Buffer.from("name")]],
    [0x34, unsigned(operations)],
    [0x42, [...signed(operations), 1]],
    [0x56, [...signed(operations), 0]],
    [0x70, [...signed(operations), 0]],
  ];
  const [noDependencies, sequence, firstOperation, time, noMessage, noOthers] = [0, 1, 1, 0, 0, 0];
  return chunk(CHANGE, [
    noDependencies,
    ...unsigned(actor.length / 2),
    ...Buffer.from(actor, "hex"),
    sequence,
    firstOperation,
    time,
    noMessage,
    noOthers,
    columns.length,
    ...columns.flatMap(([specification, data]) => [...unsigned(specification), ...unsigned(data.length)]),
    ...columns.flatMap(([, data]) => data),
  ]);
}

/** A compressed change that unfolds to so many bytes. */
export const deflateBomb = (unfoldsToBytes: number): Uint8Array =>
  chunk(COMPRESSED, deflateRawSync(Buffer.alloc(unfoldsToBytes)));

function chunk(type: number, body: Iterable<number>): Uint8Array {
  const bytes = Uint8Array.from(body);
  const content = Buffer.concat([Uint8Array.of(type), Uint8Array.from(unsigned(bytes.length)), bytes]);
  return Buffer.concat([MAGIC, createHash("sha256").update(content).digest().subarray(0, 4), content]);
}

/** LEB128. */
function unsigned(value: number): number[] {
  const low = value % 128;
  return value < 128 ? [low] : [low | 0x80, ...unsigned(Math.floor(value / 128))];
}

/** LEB128 of a positive number with its sign. */
function signed(value: number): number[] {
  const low = value % 128;
  return value < 64 ? [low] : [low | 0x80, ...signed(Math.floor(value / 128))];
}
