import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { DatabaseSync } from "node:sqlite";

/** A photo whose stored file is not the one that arrived. */
export interface BadPhoto {
  readonly photo: string;
  readonly what: string;
}

const PAGE = 500;

/**
 * Every stored photo and preview has its file with the right size and SHA-256, unless a decision removed it; and every
 * one that arrived by the trail is stored.
 */
export async function verifyPhotos(
  db: DatabaseSync,
  dataDir: string,
  progress: (photos: number) => void,
): Promise<BadPhoto | { readonly photos: number; readonly expired: number }> {
  const folder = path.join(dataDir, "blobs", "photos");
  const lost = db
    .prepare(
      `select item, detail ->> 'part' as part from trail
         where topic = 'photo.arrived' and json_valid(detail)
           and not exists (select 1 from photo where photo = item and part = detail ->> 'part') limit 1`,
    )
    .get() as { item: string; part: string } | undefined;
  if (lost !== undefined)
    return { photo: `${lost.item} (${lost.part})`, what: "arrived by the trail and is not stored" };
  const page = db.prepare(
    `select photo, part, sha256, bytes, blob, blob in (select blob from expired_photo) as expired
       from photo where (photo, part) > (?, ?) order by photo, part limit ?`,
  );
  let last = { photo: "", part: "" };
  let photos = 0;
  let expired = 0;
  for (;;) {
    const rows = page.all(last.photo, last.part, PAGE) as unknown as PhotoRow[];
    for (const row of rows) {
      last = row;
      photos += 1;
      if (row.expired === 1) {
        expired += 1;
        continue;
      }
      const what = await faultOf(folder, row);
      if (what !== null) return { photo: `${row.photo} (${row.part})`, what };
      progress(photos);
    }
    if (rows.length < PAGE) return { photos, expired };
  }
}

interface PhotoRow {
  readonly photo: string;
  readonly part: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly blob: string;
  readonly expired: number;
}

async function faultOf(folder: string, { sha256, bytes, blob }: PhotoRow): Promise<string | null> {
  const file = path.join(folder, blob);
  if (!file.startsWith(folder + path.sep)) return "names a file outside its folder";
  const sum = createHash("sha256");
  let size = 0;
  try {
    await pipeline(createReadStream(file), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        sum.update(chunk);
        size += chunk.length;
      }
    });
  } catch (error) {
    return `has no readable file: ${String((error as NodeJS.ErrnoException).code)}`;
  }
  if (size !== bytes) return `has a file of ${size} bytes instead of ${bytes}`;
  return sum.digest("hex") === sha256 ? null : "has a file whose bytes do not match its hash";
}
