import { bytesEqual, sha256Bytes } from "../core/hash.ts";

// The hash tree over the order log's leaves, by RFC 6962 section 2.1: SHA-256, 0x00 before a leaf, 0x01 before a node,
// so that neither can be taken for the other.

export const HASH_BYTES = 32;

/** A record as the tree holds it: a leaf. */
export function leafHash(record: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + record.length);
  input.set(record, 1);
  return sha256Bytes(input);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + 2 * HASH_BYTES);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + HASH_BYTES);
  return sha256Bytes(input);
}

/** RFC 6962: the root of an empty tree is the hash of nothing. */
export const emptyRoot = (): Uint8Array => sha256Bytes(new Uint8Array());

/** The hash of the full subtree of 2^level leaves that starts at leaf `index` × 2^level. */
export type SubtreeHash = (level: number, index: number) => Uint8Array;

/** Largest power of two below `count` (count ≥ 2): where RFC 6962 splits a tree. */
function split(count: number): number {
  let half = 1;
  while (half * 2 < count) half *= 2;
  return half;
}

/** Hash of the leaves [from, to) out of the full subtrees in it. `from` is a multiple of the split above it. */
export function rangeHash(from: number, to: number, subtree: SubtreeHash): Uint8Array {
  const count = to - from;
  if (count === 0) return emptyRoot();
  const level = Math.log2(count);
  if (Number.isInteger(level)) return subtree(level, from / count);
  const half = split(count);
  return nodeHash(rangeHash(from, from + half, subtree), rangeHash(from + half, to, subtree));
}

/** Audit path (RFC 6962 section 2.1.1) of leaf `index` in the tree of `size` leaves, nearest hash first. */
export function inclusionProof(index: number, size: number, subtree: SubtreeHash): Uint8Array[] {
  const path = (from: number, to: number): Uint8Array[] => {
    if (to - from === 1) return [];
    const middle = from + split(to - from);
    return index < middle
      ? [...path(from, middle), rangeHash(middle, to, subtree)]
      : [...path(middle, to), rangeHash(from, middle, subtree)];
  };
  return path(0, size);
}

/** Consistency proof (RFC 6962 section 2.1.2) between the trees of `first` and `second` leaves, 0 < first ≤ second. */
export function consistencyProof(first: number, second: number, subtree: SubtreeHash): Uint8Array[] {
  const prove = (from: number, to: number, whole: boolean): Uint8Array[] => {
    if (first === to) return whole ? [] : [rangeHash(from, to, subtree)];
    const middle = from + split(to - from);
    return first <= middle
      ? [...prove(from, middle, whole), rangeHash(middle, to, subtree)]
      : [...prove(middle, to, false), rangeHash(from, middle, subtree)];
  };
  return prove(0, second, true);
}

/** The root that an audit path leads to from a leaf, or null where the path does not fit index and size. */
export function rootOfInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Uint8Array | null {
  if (index >= size) return null;
  // RFC 9162 section 2.1.3.2, which gives the check that RFC 6962 leaves to the reader.
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0) return null;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : null;
}

/** Whether the second tree begins with the first (RFC 9162 section 2.1.4.2). */
export function isConsistent(
  first: { size: number; root: Uint8Array },
  second: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (first.size === 0) return proof.length === 0;
  if (first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && bytesEqual(first.root, second.root);
  const path = [...proof];
  if (Number.isInteger(Math.log2(first.size))) path.unshift(first.root);
  const start = path.shift();
  if (start === undefined) return false;
  let node = first.size - 1;
  let last = second.size - 1;
  while (node % 2 === 1) {
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  let firstRoot = start;
  let secondRoot = start;
  for (const hash of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      firstRoot = nodeHash(hash, firstRoot);
      secondRoot = nodeHash(hash, secondRoot);
      while (node % 2 === 0 && node !== 0) {
        node = Math.floor(node / 2);
        last = Math.floor(last / 2);
      }
    } else {
      secondRoot = nodeHash(secondRoot, hash);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && bytesEqual(firstRoot, first.root) && bytesEqual(secondRoot, second.root);
}
