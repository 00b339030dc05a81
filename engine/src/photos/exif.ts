import { utf8ToBytes } from "../core/hash.ts";
import type { KeptExif } from "../reference/pack.ts";

/** Tag numbers and types of EXIF 2.32 (CIPA DC-008), which are those of TIFF 6.0. */
const MAKE = 0x010f;
const MODEL = 0x0110;
const EXIF_DIRECTORY = 0x8769;
const DATE_TIME_ORIGINAL = 0x9003;
const OFFSET_TIME_ORIGINAL = 0x9011;
const ASCII = 2;
const LONG = 4;
/** The first directory follows TIFF's own header. */
const FIRST_DIRECTORY_AT = 8;

const printable = /^[ -~]{1,64}$/;
const localTime = /^\d{4}:\d\d:\d\d \d\d:\d\d:\d\d$/;
const offsetFromUtc = /^[+-]\d\d:\d\d$/;

interface Field {
  readonly tag: number;
  readonly text: string;
}

/**
 * Puts what policy keeps of the taken picture's EXIF into the encoded JPEG. What no policy can name is never carried over:
 * place, owner, serial numbers, notes of the maker, thumbnails. A value that is not what its tag should hold is left out.
 */
export async function withKeptExif(
  taken: Uint8Array,
  jpeg: Uint8Array,
  keep: readonly KeptExif[],
): Promise<Uint8Array> {
  if (keep.length === 0) return jpeg;
  const found = await readExif(taken);
  const fields = (wanted: KeptExif, tags: readonly (readonly [tag: number, name: string, valid: RegExp])[]): Field[] =>
    keep.includes(wanted)
      ? tags.flatMap(([tag, name, valid]) => {
          const text = found[name];
          return typeof text === "string" && valid.test(text) ? [{ tag, text }] : [];
        })
      : [];
  const camera = fields("camera", [
    [MAKE, "Make", printable],
    [MODEL, "Model", printable],
  ]);
  const capturedAt = fields("capturedAt", [
    [DATE_TIME_ORIGINAL, "DateTimeOriginal", localTime],
    [OFFSET_TIME_ORIGINAL, "OffsetTimeOriginal", offsetFromUtc],
  ]);
  if (camera.length + capturedAt.length === 0) return jpeg;
  const segment = exifSegment(camera, capturedAt);
  const whole = new Uint8Array(jpeg.length + segment.length);
  // EXIF stands right behind the start of the image, which is two bytes.
  whole.set(jpeg.subarray(0, 2));
  whole.set(segment, 2);
  whole.set(jpeg.subarray(2), 2 + segment.length);
  return whole;
}

/** The EXIF values by name that a policy can keep; empty where there are none, or none that can be read. */
async function readExif(picture: Uint8Array): Promise<Readonly<Record<string, unknown>>> {
  try {
    // Loaded only where a policy keeps something: it is no small part of an app.
    const { default: exifr } = await import("exifr");
    const found: unknown = await exifr.parse(picture, {
      pick: ["Make", "Model", "DateTimeOriginal", "OffsetTimeOriginal"],
      translateValues: false,
      reviveValues: false,
    });
    return (found ?? {}) as Record<string, unknown>;
  } catch {
    // A photo is worth more than what its camera noted.
    return {};
  }
}

/** An APP1 segment with a big-endian TIFF: the fields of the first directory, and those of the EXIF directory. */
function exifSegment(first: readonly Field[], exif: readonly Field[]): Uint8Array {
  const main = directory(FIRST_DIRECTORY_AT, first, exif.length > 0);
  const sub = exif.length > 0 ? directory(FIRST_DIRECTORY_AT + main.length, exif, false) : [];
  const tiff = [...utf8ToBytes("MM"), ...uint16(42), ...uint32(FIRST_DIRECTORY_AT), ...main, ...sub];
  const content = [...utf8ToBytes("Exif"), 0, 0, ...tiff];
  return Uint8Array.from([0xff, 0xe1, ...uint16(content.length + 2), ...content]);
}

/**
 * One directory at this offset and, behind it, the texts that do not fit its entries. Fields come in the order of their
 * tags. `pointsOn`: its last entry points to the EXIF directory, which follows it at once.
 */
function directory(at: number, fields: readonly Field[], pointsOn: boolean): number[] {
  const count = fields.length + (pointsOn ? 1 : 0);
  const textsAt = at + 2 + 12 * count + 4;
  const texts: number[] = [];
  const entries = fields.flatMap(({ tag, text }) => {
    const ascii = [...utf8ToBytes(text), 0];
    const entry = [...uint16(tag), ...uint16(ASCII), ...uint32(ascii.length)];
    if (ascii.length <= 4) return [...entry, ...padded(ascii, 4)];
    const textAt = textsAt + texts.length;
    // Offsets are even.
    texts.push(...padded(ascii, ascii.length + (ascii.length % 2)));
    return [...entry, ...uint32(textAt)];
  });
  if (pointsOn)
    entries.push(...uint16(EXIF_DIRECTORY), ...uint16(LONG), ...uint32(1), ...uint32(textsAt + texts.length));
  return [...uint16(count), ...entries, ...uint32(0), ...texts];
}

const uint16 = (value: number) => [value >>> 8, value & 0xff];
const uint32 = (value: number) => [...uint16(value >>> 16), ...uint16(value & 0xffff)];
const padded = (bytes: readonly number[], length: number) => [
  ...bytes,
  ...Array<number>(length - bytes.length).fill(0),
];
