import { utf8ToBytes } from "@sampai/engine/core";

/** What the tree holds of one row of the order log. The event's bytes are in it by their hash, so they may expire. */
export interface LeafRecord {
  readonly term: string;
  readonly position: number;
  readonly type: string;
  readonly device: string;
  readonly run: string;
  readonly seq: number;
  /** SHA-256 of the event's bytes, hexadecimal. */
  readonly hash: string;
  readonly received: string;
  readonly flags: readonly string[];
}

/**
 * The one way to write a leaf: ten lines of UTF-8 text without a final newline. No field can hold a newline, so two
 * records are never the same bytes.
 */
export function leafBytes(leaf: LeafRecord): Uint8Array {
  const { term, position, type, device, run, seq, hash, received, flags } = leaf;
  return utf8ToBytes(
    ["sampai.leaf.v1", term, position, type, device, run, seq, hash, received, flags.join(",")].join("\n"),
  );
}
