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
