import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { readCheckpoint, signCheckpoint } from "../src/proof/checkpoint.ts";
import { leafBytes } from "../src/proof/leaf-record.ts";
import { checkReceipt, receiptText } from "../src/proof/receipt.ts";
import { extendTiles, subtreesOf, tilePath } from "../src/proof/tiles.ts";
import {
  consistencyProof,
  inclusionProof,
  isConsistent,
  leafHash,
  nodeHash,
  rangeHash,
  readVerifier,
  rootOfInclusion,
  verifierText,
} from "@sampai/engine/proof";

const hashOf = (number: number) => leafHash(new TextEncoder().encode(`leaf ${number}`));

function grownTiles(sizes: readonly number[]) {
  const tiles = new Map<string, Uint8Array>();
  const reader = { tile: (level: number, index: number) => tiles.get(`${level}/${index}`) };
  let size = 0;
  for (const next of sizes) {
    const leaves = Array.from({ length: next - size }, (_, offset) => hashOf(size + offset));
    for (const tile of extendTiles(reader, size, leaves)) tiles.set(`${tile.level}/${tile.index}`, tile.hashes);
    size = next;
  }
  return reader;
}

// The definition of RFC 6962 section 2.1, word for word and slow: what the tiles must agree with.
function rootByDefinition(from: number, to: number): Uint8Array {
  if (to - from === 1) return hashOf(from);
  let half = 1;
  while (half * 2 < to - from) half *= 2;
  return nodeHash(rootByDefinition(from, from + half), rootByDefinition(from + half, to));
}

test("the tiles give the root of RFC 6962 for every size, however the log grew", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1_200 }), { minLength: 1, maxLength: 5 }), (raw) => {
      const sizes = [...new Set(raw)].sort((a, b) => a - b);
      const size = sizes.at(-1) as number;
      const root = rangeHash(0, size, subtreesOf(grownTiles(sizes)));
      assert.deepEqual(Buffer.from(root), Buffer.from(rootByDefinition(0, size)));
    }),
    { numRuns: 40, seed: 1 },
  );
});

test("every leaf's audit path leads to the root, and no other leaf's does", () => {
  const subtree = subtreesOf(grownTiles([700]));
  for (const size of [1, 2, 3, 7, 255, 256, 257, 511, 700]) {
    const root = Buffer.from(rangeHash(0, size, subtree));
    for (const index of [0, 1, size >> 1, size - 1].filter((at) => at < size)) {
      const path = inclusionProof(index, size, subtree);
      assert.deepEqual(Buffer.from(rootOfInclusion(hashOf(index), index, size, path) as Uint8Array), root);
      const wrong = rootOfInclusion(hashOf(index + 1), index, size, path);
      assert.ok(wrong === null || !Buffer.from(wrong).equals(root));
    }
  }
});

test("a later tree is proved to begin with an earlier one, and a rewritten one is not", () => {
  const subtree = subtreesOf(grownTiles([600]));
  for (const [first, second] of [
    [1, 2],
    [3, 7],
    [256, 600],
    [255, 257],
    [600, 600],
    [4, 8],
  ] as const) {
    const proof = consistencyProof(first, second, subtree);
    const a = { size: first, root: rangeHash(0, first, subtree) };
    const b = { size: second, root: rangeHash(0, second, subtree) };
    assert.ok(isConsistent(a, b, proof));
    assert.ok(!isConsistent({ size: first, root: hashOf(9_999) }, b, proof));
  }
});

test("tile paths are those of tlog-tiles", () => {
  assert.equal(tilePath(0, 0), "tile/0/000");
  assert.equal(tilePath(0, 1_234_067), "tile/0/x001/x234/067");
  assert.equal(tilePath("entries", 1_234, 17), "tile/entries/x001/234.p/17");
});

test("a receipt is checked with the log's public key alone, and a changed one is refused", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const verifier = {
    name: "demo/1:abc",
    publicKey: new Uint8Array(publicKey.export({ format: "der", type: "spki" }).subarray(-32)),
  };
  const record = leafBytes({
    term: "1:abc",
    position: 5,
    type: "event",
    device: "d1",
    run: "0123456789abcdef",
    seq: 1,
    hash: "0".repeat(64),
    received: "2026-11-25T02:00:00.000Z",
    flags: [],
  });
  const tiles = new Map<string, Uint8Array>();
  const reader = { tile: (level: number, index: number) => tiles.get(`${level}/${index}`) };
  const leaves = Array.from({ length: 9 }, (_, index) => (index === 5 ? leafHash(record) : hashOf(index)));
  for (const tile of extendTiles(reader, 0, leaves)) tiles.set(`${tile.level}/${tile.index}`, tile.hashes);
  const subtree = subtreesOf(reader);
  const checkpoint = signCheckpoint(
    { origin: "demo/1:abc", size: 9, root: rangeHash(0, 9, subtree) },
    verifier,
    (bytes) => sign(null, bytes, privateKey),
  );
  const text = receiptText({ record, index: 5, path: inclusionProof(5, 9, subtree), checkpoint });
  const read = readVerifier(verifierText(verifier));
  assert.ok(read.ok);
  const checked = checkReceipt(text, read.value);
  assert.ok(checked.ok);
  assert.equal(checked.value.checkpoint.size, 9);

  const moved = checkReceipt(text.replace("index 5", "index 4"), verifier);
  assert.ok(!moved.ok && moved.error.code === "receipt.proof");
  const resized = checkReceipt(text.replace("\n9\n", "\n8\n"), verifier);
  assert.ok(!resized.ok && resized.error.code === "note.signature");
  const cut = checkReceipt(text.slice(0, 40), verifier);
  assert.ok(!cut.ok && cut.error.code === "receipt.malformed");
  const stranger = { ...verifier, publicKey: new Uint8Array(32).fill(7) };
  assert.ok(!readCheckpoint(checkpoint, stranger).ok);
});
