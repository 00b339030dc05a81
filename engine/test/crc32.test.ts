import assert from "node:assert/strict";
import { test } from "node:test";
import zlib from "node:zlib";
import { crc32 } from "../src/storage/crc32.ts";
import { seeded } from "./seeded.ts";

test("the checksum of segments is CRC-32, whatever the length and wherever the bytes lie", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  const bytes = seeded(7).bytes(100);
  for (let from = 0; from < 9; from += 1) {
    for (let to = from; to < bytes.length; to += 1) {
      const part = bytes.subarray(from, to);
      assert.equal(crc32(part), zlib.crc32(part));
    }
  }
});
