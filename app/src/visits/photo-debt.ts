import type { OwedPhoto } from "@sampai/engine";

/** Whether HQ will still get this photo by itself: neither there nor refused nor lost. */
export function isOwed({ state }: OwedPhoto): boolean {
  return state === "waiting" || state === "sending" || state === "preview-at-hq";
}
