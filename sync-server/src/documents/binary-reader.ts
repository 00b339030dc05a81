/** The bytes end too early or hold a number that no honest writer makes. */
export class UnreadableBytes extends Error {
  override readonly name = "UnreadableBytes";
}

/** Reads LEB128 numbers and byte runs in order. Throws `UnreadableBytes`, and never reads past the end. */
export class BinaryReader {
  readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get offset(): number {
    return this.at;
  }

  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new UnreadableBytes("the bytes end too early");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw new UnreadableBytes("the bytes end too early");
    this.at += 1;
    return value;
  }

  /** Unsigned LEB128 up to 2^53 - 1. */
  unsigned(): number {
    let value = 0;
    let scale = 1;
    for (let read = 0; read < 8; read += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 128;
    }
    throw new UnreadableBytes("a number is too large");
  }

  /** Signed LEB128 between -(2^53 - 1) and 2^53 - 1. */
  signed(): number {
    let value = 0;
    let scale = 1;
    for (let read = 0; read < 8; read += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if ((byte & 0x80) === 0) {
        if ((byte & 0x40) !== 0) value -= scale;
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
    }
    throw new UnreadableBytes("a number is too large");
  }
}
