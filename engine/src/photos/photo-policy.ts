import type { KeptExif, Pack } from "../reference/pack.ts";

/** How photos are made and sent, as HQ issued it. */
export interface PhotoPolicy {
  /** Pixels. */
  readonly longestEdge: number;
  /** JPEG quality 1–100 to start with. */
  readonly quality: number;
  /** An original larger than this many bytes is encoded again, coarser. */
  readonly targetBytes: number;
  /** Pixels. */
  readonly previewEdge: number;
  readonly originalsOnWifiOnly: boolean;
  /** Bytes of photos, previews and originals together, that may go over mobile data on one day. */
  readonly mobileBytesPerDay: number;
  /** What of the taken picture's EXIF stays with its original; all else is dropped. */
  readonly keepExif: readonly KeptExif[];
}

const beforeFirstPack: PhotoPolicy = {
  longestEdge: 1_600,
  quality: 80,
  targetBytes: 400_000,
  previewEdge: 320,
  originalsOnWifiOnly: false,
  mobileBytesPerDay: 50_000_000,
  keepExif: [],
};

/** The policy of the pack in force, or a careful one before the first pack has come. */
export function photoPolicy(pack: Pack | null): PhotoPolicy {
  if (pack === null) return beforeFirstPack;
  const { targetBytes, keepExif } = beforeFirstPack;
  return {
    ...pack.photo,
    targetBytes: pack.photo.targetBytes ?? targetBytes,
    keepExif: pack.photo.keepExif ?? keepExif,
  };
}
