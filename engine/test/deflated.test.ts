import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { deflateSync } from "fflate";
import { z } from "zod";
import {
  decodeCborAs,
  decodeFrame,
  encodeFrame,
  FOLDING_WORDS,
  foldFrame,
  foldingWords,
  limits,
} from "../src/wire/index.ts";

const schema = z.strictObject({ text: z.string() });
const long = { text: "order ".repeat(2_000) };

test("a frame reads alike in its plain and in its small form, and the small one is smaller", () => {
  const plain = encodeFrame(long);
  const folded = foldFrame(plain);
  assert.ok(folded.length * 5 < plain.length);
  for (const frame of [plain, folded]) {
    const read = decodeFrame(schema, frame);
    assert.ok(read.ok);
    assert.deepEqual(read.value, long);
  }
});

test("the published words are what frames are folded with, and a folded frame names them", () => {
  const vector = path.join(import.meta.dirname, "../../conformance/vectors/folding-words.json");
  const published = JSON.parse(readFileSync(vector, "utf8")) as Record<string, string>;
  assert.equal(published[FOLDING_WORDS], new TextDecoder().decode(foldingWords));
  const folded = decodeCborAs(z.looseObject({ words: z.int() }), foldFrame(encodeFrame(long)));
  assert.ok(folded.ok);
  assert.equal(folded.value.words, FOLDING_WORDS);
});

test("a frame that is folded without words is read too", () => {
  const plain = encodeFrame(long);
  const read = decodeFrame(schema, encodeFrame({ deflated: deflateSync(plain), length: plain.length }));
  assert.ok(read.ok);
  assert.deepEqual(read.value, long);
});

test("a short frame is left as it is", () => {
  const plain = encodeFrame({ text: "one order" });
  assert.equal(foldFrame(plain), plain);
});

for (const [what, frame, code] of [
  [
    "states less than it unfolds to",
    { deflated: deflateSync(new Uint8Array(5_000_000)), length: 100 },
    "frame.oversized",
  ],
  ["states more than it unfolds to", { deflated: deflateSync(encodeFrame(long)), length: 500_000 }, "frame.malformed"],
  [
    "states more than a frame may be",
    { deflated: deflateSync(encodeFrame(long)), length: limits.frameBytes + 1 },
    "frame.oversized",
  ],
  [
    "names words that are not known",
    { deflated: deflateSync(encodeFrame(long)), length: encodeFrame(long).length, words: 2 },
    "frame.malformed",
  ],
  ["is no DEFLATE", { deflated: new Uint8Array(300).fill(0xff), length: 1_000 }, "frame.malformed"],
  [
    "is cut",
    { deflated: deflateSync(encodeFrame(long)).subarray(0, 20), length: encodeFrame(long).length },
    "frame.malformed",
  ],
  [
    "holds another small form",
    { deflated: deflateSync(foldFrame(encodeFrame(long))), length: foldFrame(encodeFrame(long)).length },
    "frame.malformed",
  ],
] as const) {
  test(`a folded frame that ${what} is refused and costs no more memory than a frame may`, () => {
    const read = decodeFrame(schema, encodeFrame(frame));
    assert.ok(!read.ok);
    assert.equal(read.error.code, code);
  });
}
