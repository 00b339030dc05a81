import { err, ok, type Result } from "@sampai/engine";
import type { Refusal } from "@sampai/engine/wire";
import { BinaryReader } from "../documents/binary-reader.ts";

/**
 * One message of the Automerge sync protocol, version 1. Source: the protocol as Automerge encodes it: a type byte, our
 * heads, hashes that we need, what we have (heads of the last sync and a Bloom filter of what came since), changes.
 */
export interface SyncMessage {
  /** Hexadecimal hashes, here and below. */
  readonly heads: readonly string[];
  readonly need: readonly string[];
  /** Heads that both sides had when they last agreed, from each `have`. */
  readonly lastSync: readonly string[];
  readonly changes: readonly Uint8Array[];
}

const VERSION_1 = 0x42;
const HASHES = 1_000;
const CHANGES = 10_000;
const HAVES = 16;

/**
 * Reads a message without Automerge, so that what it claims is bounded before anything is allocated. Version 2, which
 * carries a whole document in one piece, is refused: a relay that does not offer it gets every change by itself.
 */
export function readSyncMessage(data: Uint8Array): Result<SyncMessage, Refusal> {
  const reader = new BinaryReader(data);
  const hashes = () =>
    Array.from({ length: bounded(reader.unsigned(), HASHES) }, () => Buffer.from(reader.take(32)).toString("hex"));
  try {
    if (reader.byte() !== VERSION_1)
      return err({ code: "frame.malformed", detail: "not version 1 of the sync protocol" });
    const heads = hashes();
    const need = hashes();
    const lastSync: string[] = [];
    for (let haves = bounded(reader.unsigned(), HAVES); haves > 0; haves -= 1) {
      lastSync.push(...hashes());
      // The filter spares bytes where both sides changed much; the relay answers from `lastSync` and heads alone.
      reader.take(reader.unsigned());
    }
    const changes = Array.from({ length: bounded(reader.unsigned(), CHANGES) }, () => reader.take(reader.unsigned()));
    return ok({ heads, need, lastSync, changes });
  } catch (error) {
    return err({ code: "frame.malformed", detail: `sync message: ${String(error).slice(0, 80)}` });
  }
}

/** `lastSync` says what both sides have: the other side sends everything that came behind it. */
export function writeSyncMessage({ heads, need, lastSync, changes }: SyncMessage): Uint8Array {
  const hashes = (list: readonly string[]) => [
    unsigned(list.length),
    ...[...list].sort().map((hash) => Buffer.from(hash, "hex")),
  ];
  return Buffer.concat([
    Uint8Array.of(VERSION_1),
    ...hashes(heads),
    ...hashes(need),
    // One `have` with an empty filter: the relay names nothing that it has beyond the last sync.
    unsigned(1),
    ...hashes(lastSync),
    unsigned(0),
    unsigned(changes.length),
    ...changes.flatMap((change) => [unsigned(change.length), change]),
  ]);
}

function unsigned(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

function bounded(count: number, most: number): number {
  if (count > most) throw new RangeError(`${count} is more than ${most}`);
  return count;
}
