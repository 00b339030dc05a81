import type { CapturedFact } from "../events/facts.ts";
import { eventKinds } from "../events/kinds/index.ts";

/** What a close of the day declares: the events and photos that this device captured since its last close. */
export function sinceLastClose(facts: readonly CapturedFact[]): { readonly events: number; readonly photos: number } {
  const last = facts.findLastIndex(({ envelope }) => envelope.kind === eventKinds.dayClosed.name);
  const since = facts.slice(last + 1);
  const photos = since.filter(({ envelope }) => envelope.kind === eventKinds.photoCaptured.name).length;
  return { events: since.length, photos };
}
