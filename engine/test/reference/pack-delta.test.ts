import assert from "node:assert/strict";
import { test } from "node:test";
import { applyPackDelta, packBytes, packDelta, utf8ToBytes, type Pack } from "../../src/index.ts";
import { limits } from "../../src/wire/index.ts";
import { samplePack } from "./sample-pack.ts";

/** A price list of some size, and the next one in which every tenth price has changed. */
function twoLists(): { base: Uint8Array; target: Uint8Array } {
  const list = (raisedSen: number): Partial<Pack> => ({
    goods: Array.from({ length: 300 }, (_, index) => ({
      sku: String(index),
      name: `Sirap ${index}`,
      unit: "1 carton",
      group: "Drinks",
      category: "Cordial",
      priceSen: 1_000 + index + (index % 10 === 0 ? raisedSen : 0),
      priceMadeUp: false,
    })),
  });
  return { base: packBytes(samplePack(17, list(0))), target: packBytes(samplePack(18, list(25))) };
}

test("a delta makes the newer pack, byte for byte, of the older one, and is a small part of it", () => {
  const { base, target } = twoLists();
  const delta = packDelta(base, target);
  assert.deepEqual(applyPackDelta(base, delta), { ok: true, value: target });
  assert.ok(delta.length * 20 < target.length, `${delta.length} of ${target.length} bytes`);
});

test("a delta between packs that have nothing in common makes the pack all the same", () => {
  const target = twoLists().target;
  for (const base of [new Uint8Array(0), new Uint8Array(10), new Uint8Array(5_000).fill(7)]) {
    assert.deepEqual(applyPackDelta(base, packDelta(base, target)), { ok: true, value: target });
  }
});

test("a delta on another base, cut or changed anywhere, makes no pack and throws nothing", () => {
  const { base, target } = twoLists();
  const delta = packDelta(base, target);
  const another = applyPackDelta(base.subarray(0, 4_000), delta);
  assert.equal(another.ok, false);
  for (let length = 0; length < delta.length; length += 7) {
    assert.equal(applyPackDelta(base, delta.subarray(0, length)).ok, false, `cut at ${length}`);
  }
  for (let at = 0; at < delta.length; at += 5) {
    const changed = delta.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x15;
    const made = applyPackDelta(base, changed);
    assert.ok(!made.ok || Buffer.compare(made.value, target) !== 0, `byte ${at}`);
  }
});

test("a bomb is refused before it makes more than one pack's bytes", () => {
  const base = new Uint8Array(64 * 1_024).fill(97);
  // "~~~~~" is 2^30 - 1 in the format's base 64; "F~~" 65,535: the whole base, copied again and again.
  const claimsMore = utf8ToBytes(`~~~~~\n${"F~~@0,".repeat(20_000)}0;`);
  assert.deepEqual(applyPackDelta(base, claimsMore), {
    ok: false,
    error: `makes more than ${limits.packBytes} bytes`,
  });
  const claimsLess = utf8ToBytes(`F~~\n${"F~~@0,".repeat(20_000)}0;`);
  assert.deepEqual(applyPackDelta(base, claimsLess), { ok: false, error: "copy exceeds output file size" });
  assert.equal(applyPackDelta(base, new Uint8Array(limits.packBytes + 1)).ok, false);
});
