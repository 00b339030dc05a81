import { limits } from "../wire/index.ts";
import type { PhotoPolicy } from "./photo-policy.ts";
import type { EncodedPicture, Pictures } from "./photos.ts";

/** A preview should cost a thin link no more than this many bytes. */
const PREVIEW_BYTES = 15_360;
const LOWEST_QUALITY = 30;
/** Longest edge in pixels whose square is still within the 24 million pixels that the relay takes. */
const MOST_EDGE = 4_898;

/**
 * Shrinks and encodes an original by policy: first the quality gives way to reach the target, then the size. Answers
 * null where the bytes are no picture; the last try is taken as it is, as a photo is worth more than a target.
 */
export function encodeOriginal(pictures: Pictures, bytes: Uint8Array, policy: PhotoPolicy) {
  return encodeBelow(pictures, bytes, Math.min(policy.longestEdge, MOST_EDGE), policy.quality, policy.targetBytes);
}

/** The few kilobytes that go first. Null where no encoding stays below what the relay takes. */
export async function encodePreview(
  pictures: Pictures,
  bytes: Uint8Array,
  policy: PhotoPolicy,
): Promise<EncodedPicture | null> {
  const preview = await encodeBelow(pictures, bytes, policy.previewEdge, Math.min(policy.quality, 65), PREVIEW_BYTES);
  return preview === null || preview.bytes.length > limits.previewBytes ? null : preview;
}

async function encodeBelow(
  pictures: Pictures,
  bytes: Uint8Array,
  edge: number,
  quality: number,
  targetBytes: number,
): Promise<EncodedPicture | null> {
  let best = await pictures.encode(bytes, { longestEdge: edge, quality });
  let tryEdge = edge;
  let tryQuality = quality;
  for (let tries = 0; tries < 8 && best !== null && best.bytes.length > targetBytes; tries += 1) {
    if (tryQuality > LOWEST_QUALITY) tryQuality = Math.max(LOWEST_QUALITY, tryQuality - 15);
    else tryEdge = Math.max(64, Math.round(tryEdge * 0.75));
    best = await pictures.encode(bytes, { longestEdge: tryEdge, quality: tryQuality });
  }
  return best;
}
