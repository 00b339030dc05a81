import type { PhotoPart } from "@sampai/engine";
import { limits as wireLimits, type Refusal } from "@sampai/engine/wire";
import { createHash } from "node:crypto";
import { open, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { DiskFull, type Writer } from "../database/writer.ts";
import type { Blobs } from "./blobs.ts";
import type { Decoder } from "./decoder.ts";
import type { UploadRow } from "./operations.ts";
import { pictureHeader, type PictureHeader } from "./picture-header.ts";
import type { PhotoLimits } from "./limits.ts";

/** Pixels of a preview that a phone may send; it is made small before it is kept. */
const PREVIEW_PIXELS = 4_194_304;
export const PREVIEW_EDGE = 480;
const READ_BYTES = 262_144;

const extensions = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp" } as const;

/** The end of an upload. */
export interface Arrival {
  /**
   * Verifies a complete upload, makes it durable and links it: hash, picture, file on disk, row, in this order. A crash
   * at any point is caught up by calling it again. Answers a refusal where it is thrown away (or, for a full disk, kept).
   */
  finish(upload: string): Promise<Refusal | null>;
  /** Does something about a photo while none of its parts is being linked. */
  alone<T>(photo: string, work: () => Promise<T>): Promise<T>;
}

export const unfinishedFile = (uploads: string, upload: string) => path.join(uploads, upload);

/** Removes what the tus store keeps of an upload. */
export async function removeUnfinished(uploads: string, upload: string): Promise<void> {
  await rm(unfinishedFile(uploads, upload), { force: true });
  await rm(unfinishedFile(uploads, `${upload}.json`), { force: true });
}

/** The blob of a photo's part. It starts with the random end of the id, so that folders fill evenly. */
export function blobName(photo: string, part: string, type: keyof typeof extensions): string {
  return `${photo.slice(-2)}/${photo}.${part}.${extensions[type]}`;
}

interface ArrivalDeps {
  readonly db: DatabaseSync;
  readonly writer: Writer;
  readonly limits: PhotoLimits;
  /** Folder of unfinished uploads. */
  readonly uploads: string;
  readonly blobs: Blobs;
  readonly decoder: Decoder;
  /** Called after a part was verified and linked. */
  readonly arrived?: ((photo: { photo: string; part: PhotoPart; device: string }) => void) | undefined;
}

export function createArrival({ db, writer, limits, uploads, blobs, decoder, arrived }: ArrivalDeps): Arrival {
  const find = db.prepare("select * from photo_upload where upload = ?");
  // One at a time for each photo, however many requests ask for it.
  const running = new Map<string, Promise<unknown>>();
  const alone = <T>(photo: string, work: () => Promise<T>): Promise<T> => {
    const mine = (running.get(photo) ?? Promise.resolve()).then(work, work);
    running.set(photo, mine);
    const forget = () => {
      if (running.get(photo) === mine) running.delete(photo);
    };
    mine.then(forget, forget);
    return mine;
  };

  const drop = async (row: UploadRow, refusal: Refusal): Promise<Refusal> => {
    const { code, detail } = refusal;
    await writer.run("photoDropped", { upload: row.upload, code, ...(detail === undefined ? {} : { detail }) });
    await removeUnfinished(uploads, row.upload);
    return refusal;
  };

  /** What the bytes are, or why they are not taken. */
  const judge = (row: UploadRow, bytes: Uint8Array): PictureHeader | Refusal => {
    if (bytes.length !== row.size) return { code: "photo.size", detail: `${bytes.length} of ${row.size} bytes` };
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (sha256 !== row.sha256) return { code: "photo.hash", detail: `the bytes have ${sha256.slice(0, 16)}…` };
    const header = pictureHeader(bytes);
    if (header === null) return { code: "photo.type", detail: "neither JPEG, PNG nor WebP" };
    if (header.type !== row.type) return { code: "photo.type", detail: `${header.type}, not ${row.type}` };
    const most = row.part === "preview" ? PREVIEW_PIXELS : limits.mostPixels;
    if (header.width * header.height > most)
      return { code: "photo.type", detail: `${header.width} × ${header.height} pixels are too many` };
    return header;
  };

  const link = async (row: UploadRow): Promise<Refusal | null> => {
    const file = unfinishedFile(uploads, row.upload);
    const original = row.part === "original";
    const name = blobName(row.photo, row.part, row.type as keyof typeof extensions);
    const unfinished = await readWhole(file);
    // After a crash between move and row the bytes lie under their blob's name already.
    const bytes = unfinished ?? (original ? await blobs.read(name) : undefined);
    if (bytes === undefined) return drop(row, { code: "photo.unknown", detail: "its bytes are gone" });
    const header = judge(row, bytes);
    if ("code" in header) {
      if (unfinished === undefined) await blobs.remove(name);
      return drop(row, header);
    }
    let kept = { sha256: row.sha256, bytes: bytes.length };
    if (original) {
      if (unfinished !== undefined) await blobs.adopt(name, file);
    } else {
      // Nobody promised a preview's hash, and people look at it in a browser: only what was decoded here is shown.
      const clean = await decoder.preview(bytes, { longestEdge: PREVIEW_EDGE, mostPixels: PREVIEW_PIXELS });
      if (clean === null) return drop(row, { code: "photo.type", detail: "the preview cannot be decoded" });
      await blobs.write(name, clean);
      kept = { sha256: createHash("sha256").update(clean).digest("hex"), bytes: clean.length };
    }
    const { type, width, height } = header;
    const linked = await writer.run("photoArrived", { upload: row.upload, blob: name, type, width, height, ...kept });
    if (!linked) return { code: "photo.unknown", detail: "the upload was begun again meanwhile" };
    await removeUnfinished(uploads, row.upload);
    arrived?.({ photo: row.photo, part: row.part, device: row.device });
    return null;
  };

  const finish = async (upload: string): Promise<Refusal | null> => {
    const row = find.get(upload) as UploadRow | undefined;
    if (row === undefined) return { code: "photo.unknown" };
    if (row.arrived !== null) return null;
    try {
      return await link(row);
    } catch (error) {
      // The bytes stay where they are and are linked when there is room again.
      if (error instanceof DiskFull || (error as NodeJS.ErrnoException).code === "ENOSPC")
        return { code: "storage.full" };
      throw error;
    }
  };

  return {
    alone,
    finish: (upload) => {
      const row = find.get(upload) as UploadRow | undefined;
      return row === undefined ? finish(upload) : alone(row.photo, () => finish(upload));
    },
  };
}

/** The file's bytes, read in steps so that a large one blocks nobody; undefined where it is not there. */
async function readWhole(file: string): Promise<Uint8Array | undefined> {
  const size = await stat(file).then(
    (found) => found.size,
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    },
  );
  if (size === undefined) return undefined;
  // One byte more than allowed is enough to know that it is too long.
  const bytes = new Uint8Array(Math.min(size, wireLimits.photoBytes + 1));
  const handle = await open(file, "r");
  try {
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(READ_BYTES, bytes.length - at), at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await handle.close();
  }
}
