import { createHash } from "node:crypto";

/** Changes that no honest phone makes, put together byte by byte, with true checksums. */
export function changeChunk(forged: {
  operations: number;
  predecessors?: number;
  key?: string;
  actor?: string;
  seq?: number;
  startOp?: number;
  time?: number;
  message?: string;
  deps?: readonly string[];
}): Uint8Array {
  const { operations, predecessors = 0, key = "name", actor = "ab".repeat(16), message = "" } = forged;
  const columns: [number, number[]][] = [
    [0x15, [...signed(operations), ...string(key)]],
    [0x34, unsigned(operations)],
    [0x42, [...signed(operations), 1]],
    [0x56, [...signed(operations), 0]],
    [0x70, [...signed(operations), ...unsigned(predecessors)]],
  ];
  if (predecessors > 0) {
    columns.push([0x71, [...signed(predecessors), 0]], [0x73, [...signed(predecessors), 1]]);
  }
  const deps = forged.deps ?? [];
  const body = [
    ...unsigned(deps.length),
    ...deps.flatMap((hash) => [...Buffer.from(hash, "hex")]),
    ...unsigned(actor.length / 2),
    ...Buffer.from(actor, "hex"),
    ...unsigned(forged.seq ?? 1),
    ...unsigned(forged.startOp ?? 1),
    ...signed(forged.time ?? 0),
    ...string(message),
    0,
    columns.length,
    ...columns.flatMap(([spec, data]) => [...unsigned(spec), ...unsigned(data.length)]),
    ...columns.flatMap(([, data]) => data),
  ];
  return chunk(1, Uint8Array.from(body));
}

export function chunk(type: number, body: Uint8Array): Uint8Array {
  const content = Buffer.concat([Uint8Array.from([type, ...unsigned(body.length)]), body]);
  const checksum = createHash("sha256").update(content).digest().subarray(0, 4);
  return Buffer.concat([Uint8Array.from([0x85, 0x6f, 0x4a, 0x83]), checksum, content]);
}

const string = (text: string) => [...unsigned(Buffer.byteLength(text)), ...Buffer.from(text)];

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    const last = (rest >> 7n === 0n && low < 64) || (rest >> 7n === -1n && low >= 64);
    if (last) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}
