import { eventBytes, eventKinds, readEvent, type Envelope } from "@sampai/engine/events";

const kept = new Set<string>([
  eventKinds.orderPlaced.name,
  eventKinds.orderAmended.name,
  eventKinds.orderCancelled.name,
]);

/** Stands for whoever was forgotten. */
export const FORGOTTEN = "forgotten";

/**
 * What stays of an event when its author is forgotten: of orders what the company's books need, without the person, the
 * place and free text; of everything else nothing. It is the relay's word, not the phone's: the signed bytes are gone.
 */
export function remainsOf(bytes: Uint8Array): Uint8Array | null {
  const read = readEvent(bytes);
  if (!read.ok || !kept.has(read.value.kind)) return null;
  const envelope = read.value;
  const remains: Envelope = { ...envelope, rep: FORGOTTEN, place: null, body: withoutWords(envelope.body) };
  return eventBytes(remains);
}

function withoutWords(body: unknown): unknown {
  if (typeof body !== "object" || body === null) return body;
  const words: Readonly<Record<string, string>> = { note: "", reason: FORGOTTEN };
  return Object.fromEntries(Object.entries(body).map(([field, value]) => [field, words[field] ?? (value as unknown)]));
}
