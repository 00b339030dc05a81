import { assert } from "../core/assert.ts";
import { bytesToHex } from "../core/hash.ts";

/** Size of the grey picture that `differenceHash` reads: one column more than bits in a row. */
export const dhashGreys = { width: 17, height: 16 } as const;

/**
 * 256-bit difference hash (N. Krawetz, "Kind of Like That", 2013): for each of 16 rows, 16 bits that say whether a
 * pixel is brighter than its left neighbour, first pixel in the highest bit. Takes 17 × 16 grey bytes, row by row, and
 * answers 64 hexadecimal digits. Two pictures of one scene differ in few bits, unrelated ones in about 128.
 */
export function differenceHash(greys: Uint8Array): string {
  const { width, height } = dhashGreys;
  assert(greys.length === width * height, "a difference hash is made of 17 × 16 greys");
  const hash = new Uint8Array(32);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width - 1; column += 1) {
      const at = row * width + column;
      if ((greys[at + 1] as number) <= (greys[at] as number)) continue;
      const bit = row * (width - 1) + column;
      hash[bit >> 3] = (hash[bit >> 3] as number) | (0x80 >> (bit & 7));
    }
  }
  return bytesToHex(hash);
}

/** How many of the 256 bits differ. Both hashes are 64 hexadecimal digits. */
export function hashDistance(a: string, b: string): number {
  assert(a.length === 64 && b.length === 64, "only two 256-bit hashes can be compared");
  let distance = 0;
  for (let digit = 0; digit < 64; digit += 1) {
    let difference = Number.parseInt(a.charAt(digit), 16) ^ Number.parseInt(b.charAt(digit), 16);
    for (; difference > 0; difference >>= 1) distance += difference & 1;
  }
  return distance;
}
