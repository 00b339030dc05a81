const SLICES = 8;
/** Row `n` is the table for a byte that `n` more bytes follow. */
const table = new Uint32Array(SLICES * 256);
for (let byte = 0; byte < 256; byte += 1) {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  table[byte] = value;
}
for (let at = 256; at < table.length; at += 1) {
  const before = table[at - 256] as number;
  table[at] = (before >>> 8) ^ (table[before & 0xff] as number);
}

/**
 * CRC-32 of ISO 3309 (the one of zip and PNG), as an unsigned integer. Eight bytes a step (M. Kounavis, F. Berry, A
 * Systematic Approach to Building High Performance Software-based CRC Generators, 2005): a phone that starts checks
 * all its files.
 */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  let at = 0;
  for (; at + SLICES <= bytes.length; at += SLICES) {
    crc ^=
      byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);
    crc =
      row(7, crc) ^
      row(6, crc >>> 8) ^
      row(5, crc >>> 16) ^
      row(4, crc >>> 24) ^
      row(3, byteAt(bytes, at + 4)) ^
      row(2, byteAt(bytes, at + 5)) ^
      row(1, byteAt(bytes, at + 6)) ^
      row(0, byteAt(bytes, at + 7));
  }
  for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ row(0, crc ^ byteAt(bytes, at));
  return (crc ^ 0xffffffff) >>> 0;
}

const row = (number: number, byte: number) => table[number * 256 + (byte & 0xff)] as number;
const byteAt = (bytes: Uint8Array, at: number) => bytes[at] as number;
