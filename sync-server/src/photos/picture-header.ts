export type PictureType = "image/jpeg" | "image/png" | "image/webp";

export interface PictureHeader {
  readonly type: PictureType;
  readonly width: number;
  readonly height: number;
}

/**
 * What the first bytes of a picture claim, read without any decoder, so that a hostile one is turned away before a
 * decoder sees it. Null where they are neither JPEG (ITU T.81), PNG (RFC 2083) nor WebP (RFC 9649).
 */
export function pictureHeader(bytes: Uint8Array): PictureHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = jpegHeader(view) ?? pngHeader(view) ?? webpHeader(view);
  return header !== null && header.width > 0 && header.height > 0 ? header : null;
}

function jpegHeader(view: DataView): PictureHeader | null {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return null;
  let at = 2;
  while (at + 9 < view.byteLength) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    // Start of frame: C0–CF without the tables DHT, JPG and DAC.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { type: "image/jpeg", height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    // The picture's own data must not come before its frame.
    if (marker === 0xda || marker === 0xd9) return null;
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

function pngHeader(view: DataView): PictureHeader | null {
  if (view.byteLength < 24 || view.getUint32(0) !== 0x89504e47 || view.getUint32(4) !== 0x0d0a1a0a) return null;
  if (text(view, 12, 4) !== "IHDR") return null;
  return { type: "image/png", width: view.getUint32(16), height: view.getUint32(20) };
}

function webpHeader(view: DataView): PictureHeader | null {
  if (view.byteLength < 30 || text(view, 0, 4) !== "RIFF" || text(view, 8, 4) !== "WEBP") return null;
  const chunk = text(view, 12, 4);
  if (chunk === "VP8X") return webp(1 + uint24(view, 24), 1 + uint24(view, 27));
  if (chunk === "VP8 ") return webp(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
  if (chunk !== "VP8L" || view.getUint8(20) !== 0x2f) return null;
  const bits = view.getUint32(21, true);
  return webp(1 + (bits & 0x3fff), 1 + ((bits >> 14) & 0x3fff));
}

const webp = (width: number, height: number): PictureHeader => ({ type: "image/webp", width, height });
const uint24 = (view: DataView, at: number) => view.getUint16(at, true) + view.getUint8(at + 2) * 65_536;

function text(view: DataView, at: number, length: number): string {
  let characters = "";
  for (let index = 0; index < length; index += 1) characters += String.fromCharCode(view.getUint8(at + index));
  return characters;
}
