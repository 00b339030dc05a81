const HEADER_BYTES = 4;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** A signature to be checked. `publicKey` is 64 hexadecimal digits, `signature` 64 bytes. */
export interface Signed {
  readonly publicKey: string;
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
}

/** One buffer for all of them, that a thread can be given without a copy: each the message's length, key, signature, message. */
export function pack(all: readonly Signed[]): Uint8Array<ArrayBuffer> {
  const headerBytes = HEADER_BYTES + KEY_BYTES + SIGNATURE_BYTES;
  const packed = Buffer.from(new ArrayBuffer(all.reduce((sum, { message }) => sum + headerBytes + message.length, 0)));
  let at = 0;
  for (const { publicKey, signature, message } of all) {
    packed.writeUInt32BE(message.length, at);
    packed.write(publicKey, at + HEADER_BYTES, "hex");
    packed.set(signature, at + HEADER_BYTES + KEY_BYTES);
    packed.set(message, at + headerBytes);
    at += headerBytes + message.length;
  }
  return packed;
}

/** What `check` says of each, in order. */
export function checkPacked(
  packed: Uint8Array,
  check: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean,
): boolean[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const answers: boolean[] = [];
  for (let at = 0; at < packed.length;) {
    const key = at + HEADER_BYTES;
    const signature = key + KEY_BYTES;
    const message = signature + SIGNATURE_BYTES;
    const end = message + view.getUint32(at);
    const part = (from: number, to: number) => packed.subarray(from, to);
    answers.push(check(part(key, signature), part(message, end), part(signature, message)));
    at = end;
  }
  return answers;
}
