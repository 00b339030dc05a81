import { bytesToHex, sha256Hex } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { CapturedFact } from "../events/facts.ts";
import { limits } from "../wire/index.ts";
import { dhashGreys, differenceHash } from "./dhash.ts";
import { encodeOriginal, encodePreview } from "./encode.ts";
import { withKeptExif } from "./exif.ts";
import { newPart, type Owed, type OwedRecord } from "./owed.ts";
import { photoPolicy } from "./photo-policy.ts";
import type { PhotoError, PhotoInput, PhotosDeps } from "./photos.ts";

/** What a camera or a gallery may hand over; larger files are no photos. */
const INPUT_BYTES = 64 * 1_048_576;

export const PHOTO_FOLDER = "photos";

/**
 * Takes a photo: encodes it, writes original and preview, and only then commits its event together with its entry in
 * the manifest. A crash before that commit leaves files that nothing names; `removeOrphans` clears them at the next start.
 */
export async function capturePhoto(
  deps: Pick<PhotosDeps, "facts" | "files" | "ids" | "pictures" | "random" | "reference">,
  owed: Owed,
  input: PhotoInput,
): Promise<Result<CapturedFact, PhotoError>> {
  const { facts, files, ids, pictures, random, reference } = deps;
  if (input.bytes.length === 0) return err({ code: "photo.size", detail: "the file is empty" });
  if (input.bytes.length > INPUT_BYTES) return err({ code: "photo.size", detail: "the file is larger than 64 MB" });
  const policy = photoPolicy(reference.current());
  const encoded = await encodeOriginal(pictures, input.bytes, policy);
  if (encoded === null)
    return err({ code: "photo.type", detail: "the file is not a picture that this phone can read" });
  const original = { ...encoded, bytes: await withKeptExif(input.bytes, encoded.bytes, policy.keepExif) };
  if (original.bytes.length > limits.photoBytes)
    return err({ code: "photo.size", detail: "the picture is larger than the limit even when shrunk" });
  const preview = await encodePreview(pictures, original.bytes, policy);
  const greys = await pictures.grey(original.bytes, dhashGreys.width, dhashGreys.height);
  const id = input.id ?? ids.offlineId();
  // Unique at every try: a file is never written over, and a try before a crash may have left its own.
  const name = `${PHOTO_FOLDER}/${id}-${bytesToHex(random.bytes(6))}`;
  const sha256 = sha256Hex(original.bytes);
  const before = facts.find(id);
  if (before !== undefined) {
    // The same photo twice under one id is one photo: a tap that was repeated, or a screen that came back.
    if (owed.find(id)?.original.sha256 === sha256) return ok(before);
    return err({ code: "capture.id", detail: "this id was used for another photo" });
  }
  const record: OwedRecord = {
    v: 1,
    id,
    visit: input.visit,
    store: input.store,
    verifiedAt: null,
    preview: preview === null ? null : newPart(sha256Hex(preview.bytes), preview.bytes.length, `${name}.preview.jpg`),
    original: newPart(sha256, original.bytes.length, `${name}.jpg`),
  };
  try {
    await files.write(`${name}.jpg`, original.bytes);
    if (preview !== null) await files.write(`${name}.preview.jpg`, preview.bytes);
  } catch (error) {
    await removeFiles(deps, record);
    return err({ code: "capture.storage", detail: String(error) });
  }
  const captured = await facts.capture(
    {
      kind: "photoCaptured",
      id,
      visit: input.visit,
      store: input.store,
      place: input.place ?? null,
      body: {
        sha256,
        bytes: original.bytes.length,
        type: "image/jpeg",
        width: original.width,
        height: original.height,
        dhash: greys === null ? null : differenceHash(greys),
        purpose: input.purpose,
      },
    },
    [owed.entry(record)],
  );
  if (captured.ok) {
    owed.add(record);
    return ok(captured.value);
  }
  // After a commit that failed nobody knows whether it is there: its files stay until the next start finds out.
  if (captured.error.code !== "capture.storage") await removeFiles(deps, record);
  return captured;
}

async function removeFiles({ files }: Pick<PhotosDeps, "files">, record: OwedRecord): Promise<void> {
  for (const part of [record.original, record.preview]) {
    if (part?.file !== undefined && part.file !== null) await files.remove(part.file).catch(() => undefined);
  }
}

/** Removes the files that no entry names. Call it once, before anything is captured. */
export async function removeOrphans({ files }: Pick<PhotosDeps, "files">, owed: Owed): Promise<number> {
  // An entry of a newer version may name any of them.
  if (owed.unreadable > 0) return 0;
  const named = new Set(owed.list().flatMap(({ original, preview }) => [original.file, preview?.file]));
  const orphans = (await files.list(PHOTO_FOLDER))
    .map((name) => `${PHOTO_FOLDER}/${name}`)
    .filter((file) => !named.has(file));
  for (const file of orphans) await files.remove(file);
  return orphans.length;
}
