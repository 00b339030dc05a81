import type { Refusal } from "@sampai/engine/wire";
import { createHash } from "node:crypto";
import { DiskFull } from "../database/writer.ts";
import type { Caller } from "../relay/part.ts";
import { blobName, PREVIEW_EDGE } from "./arrival.ts";
import { mayRead } from "./may-read.ts";
import { pictureHeader } from "./picture-header.ts";
import type { PhotoRoom } from "./room.ts";

interface PhotoRow {
  readonly person: string;
  readonly sha256: string;
  readonly type: string;
  readonly blob: string;
}

/** Shows what arrived, to those who may see it. */
export interface Gallery {
  show(
    id: string,
    part: "original" | "preview",
    caller: Caller,
    knownTag: string | undefined,
  ): Promise<Response | Refusal>;
}

export function createGallery({ db, writer, blobs, decoder, arrival, limits, note }: PhotoRoom): Gallery {
  const find = db.prepare("select person, sha256, type, blob from photo where photo = ? and part = ?");
  const expired = db.prepare("select 1 from expired_photo where blob = ?");
  const maySee = mayRead(db);
  const rowOf = (id: string, part: string) => find.get(id, part) as PhotoRow | undefined;

  /** An original that came without a preview gets one when it is first looked at. */
  const makePreview = async (id: string, original: PhotoRow): Promise<PhotoRow | undefined> => {
    const bytes = await blobs.read(original.blob);
    const options = { longestEdge: PREVIEW_EDGE, mostPixels: limits.mostPixels };
    const jpeg = bytes === undefined ? null : await decoder.preview(bytes, options);
    const header = jpeg === null ? null : pictureHeader(jpeg);
    if (jpeg === null || header === null) return undefined;
    const blob = blobName(id, "preview", "image/jpeg");
    const sha256 = createHash("sha256").update(jpeg).digest("hex");
    const { width, height } = header;
    try {
      await blobs.write(blob, jpeg);
      await writer.run("photoPreviewMade", { photo: id, blob, sha256, bytes: jpeg.length, width, height });
    } catch (error) {
      if (error instanceof DiskFull || (error as NodeJS.ErrnoException).code === "ENOSPC") return undefined;
      throw error;
    }
    return rowOf(id, "preview");
  };

  const rowToShow = async (id: string, part: "original" | "preview"): Promise<PhotoRow | undefined> => {
    const row = rowOf(id, part);
    if (row !== undefined || part === "original") return row;
    const original = rowOf(id, "original");
    if (original === undefined) return undefined;
    return arrival.alone(id, async () => rowOf(id, "preview") ?? (await makePreview(id, original)));
  };

  return {
    show: async (id, part, caller, knownTag) => {
      const owner = (rowOf(id, "original") ?? rowOf(id, "preview"))?.person;
      // The same answer for what is not there and what is not his: an id tells a rep nothing.
      if (owner === undefined || !maySee(caller, owner)) return { code: "photo.unknown" };
      const row = await rowToShow(id, part);
      if (row === undefined) return { code: "photo.unknown", detail: `the ${part} is not at HQ` };
      const headers = {
        etag: `"${row.sha256}"`,
        "cache-control": "private, max-age=31536000, immutable",
        "content-type": row.type,
        // Whatever the bytes are, no browser may take them for a page.
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "content-disposition":
          part === "original" ? `attachment; filename="${id}.${row.blob.split(".").at(-1)}"` : "inline",
        "cross-origin-resource-policy": "same-origin",
      };
      if (expired.get(row.blob) !== undefined) return { code: "photo.expired" };
      if (knownTag === headers.etag) return new Response(null, { status: 304, headers });
      const bytes = await blobs.read(row.blob);
      if (bytes === undefined) {
        note("a linked photo is not on the disk", { photo: id, part, blob: row.blob });
        return { code: "photo.unknown", detail: "its bytes are not on the disk" };
      }
      return new Response(bytes as Uint8Array<ArrayBuffer>, { status: 200, headers });
    },
  };
}
