import { Encoder } from "cbor-x";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { nestsDeeperThan } from "../src/wire/cbor-depth.ts";

const encoder = new Encoder({ useRecords: false, tagUint8Array: false, mapsAsObjects: true, variableMapSize: true });

/** How many lists and maps with something in them stand inside each other in a value. */
function depthOf(value: unknown): number {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return 0;
  const inner = Object.values(value).map(depthOf);
  return inner.length === 0 ? 0 : 1 + Math.max(...inner);
}

test("the nesting of any value is counted exactly, whatever bytes and texts stand in it", () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.oneof(
        fc.integer(),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.string(),
        fc.uint8Array({ maxLength: 300 }),
      ),
      fc.array(tie("value"), { maxLength: 30 }),
      fc.dictionary(fc.string(), tie("value"), { maxKeys: 30, noNullPrototype: true }),
    ),
  })).value;
  fc.assert(
    fc.property(value, (any) => {
      const bytes = encoder.encode(any);
      const depth = depthOf(any);
      assert.equal(nestsDeeperThan(depth, bytes), false);
      if (depth > 0) assert.equal(nestsDeeperThan(depth - 1, bytes), true);
    }),
    { numRuns: 500 },
  );
});

for (const [what, head] of [
  ["lists", 0x81],
  ["lists without a length", 0x9f],
  ["maps", 0xa1],
  ["maps without a length", 0xbf],
  ["tags", 0xc1],
  ["tags of a byte", 0xd8],
] as const) {
  test(`thousands of ${what} inside each other are noticed`, () => {
    assert.equal(nestsDeeperThan(32, new Uint8Array(20_000).fill(head)), true);
  });
}

test("what was opened without a length and closed again is not open any more", () => {
  const closed = Array.from({ length: 100 }, () => [0x9f, 0x01, 0xff]).flat();
  assert.equal(nestsDeeperThan(2, Uint8Array.from([0x98, 100, ...closed])), false);
  const texts = Array.from({ length: 100 }, () => [0x7f, 0x61, 0x61, 0xff]).flat();
  assert.equal(nestsDeeperThan(2, Uint8Array.from([0x98, 100, ...texts])), false);
});

test("any bytes are answered, also those that are no CBOR", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => typeof nestsDeeperThan(32, bytes) === "boolean"));
});
