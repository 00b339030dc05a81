import type { OwedPhoto, PhotoWait } from "@sampai/engine";

/** Whether HQ will still get this photo by itself: neither there nor refused nor lost. */
export function isOwed({ state }: OwedPhoto): boolean {
  return state === "waiting" || state === "sending" || state === "preview-at-hq";
}

export interface HeldPhotos {
  readonly waitsFor: PhotoWait;
  readonly photos: number;
  /** What of them is not at HQ. */
  readonly bytes: number;
}

/** What waits for what: the owed photos that something holds back, by that something, in the order it is first met. */
export function heldPhotos(photos: readonly OwedPhoto[]): HeldPhotos[] {
  const held = photos
    .filter(isOwed)
    .flatMap(({ waitsFor, bytes, sentBytes }) => (waitsFor === null ? [] : [{ waitsFor, bytes: bytes - sentBytes }]));
  return [...Map.groupBy(held, ({ waitsFor }) => waitsFor)].map(([waitsFor, group]) => ({
    waitsFor,
    photos: group.length,
    bytes: group.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
}
