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
import type { PhotoLimits } from "./limits.ts";

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
