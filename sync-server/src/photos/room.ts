import type { Clock } from "@sampai/engine/core";
import type { PhotoPart } from "@sampai/engine";
import type { Refusal } from "@sampai/engine/wire";
import { statfs } from "node:fs/promises";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Writer } from "../database/writer.ts";
import { createArrival, type Arrival } from "./arrival.ts";
import type { Blobs } from "./blobs.ts";
import { createDecoder, type Decoder } from "./decoder.ts";
import { createFileBlobs } from "./file-blobs.ts";

/** Bounds of the photo room. Sizes in bytes. */
export interface PhotoLimits {
  /** No upload begins or goes on while the disk has less than this free: the order log needs the rest. */
  readonly freeBytes: number;
  readonly bytesPerDay: number;
  /** Uploads one device may begin a day, those it began again included. */
  readonly uploadsPerDay: number;
  /** A body slower than this for `slowMs` is cut off; the upload goes on from there. */
  readonly bytesPerSecond: number;
  readonly slowMs: number;
  /** Requests of one device at once. */
  readonly requestsAtOnce: number;
  /** Unfinished uploads are thrown away after so long. */
  readonly expiryMs: number;
  readonly mostPixels: number;
}

export const photoLimits: PhotoLimits = {
  freeBytes: 536_870_912,
  bytesPerDay: 536_870_912,
  uploadsPerDay: 4_000,
  bytesPerSecond: 1_024,
  slowMs: 30_000,
  requestsAtOnce: 8,
  expiryMs: 604_800_000,
  mostPixels: 24_000_000,
};

export interface PhotoRoomDeps {
  readonly dir: string;
  readonly db: DatabaseSync;
  readonly writer: Writer;
  readonly clock: Clock;
  /** The workspace's IANA zone. */
  readonly zone: string;
  readonly limits: PhotoLimits;
  /** Called after a part was verified and linked. */
  readonly arrived?: (photo: { photo: string; part: PhotoPart; device: string }) => void;
  readonly note: (text: string, about: Readonly<Record<string, unknown>>) => void;
}

/** What the files of the photo room share. */
export interface PhotoRoom extends PhotoRoomDeps {
  /** Folder of unfinished uploads. */
  readonly uploads: string;
  readonly blobs: Blobs;
  readonly decoder: Decoder;
  readonly arrival: Arrival;
  /** A refusal while the disk is nearly full, else null. */
  full(): Promise<Refusal | null>;
}

export function createPhotoRoom(deps: PhotoRoomDeps): PhotoRoom {
  const uploads = path.join(deps.dir, "uploads");
  const blobs = createFileBlobs(path.join(deps.dir, "blobs", "photos"));
  const decoder = createDecoder();
  const arrival = createArrival({ ...deps, uploads, blobs, decoder });
  return {
    ...deps,
    uploads,
    blobs,
    decoder,
    arrival,
    full: async () => {
      const { bavail, bsize } = await statfs(deps.dir);
      return bavail * bsize < deps.limits.freeBytes ? { code: "storage.full" } : null;
    },
  };
}
