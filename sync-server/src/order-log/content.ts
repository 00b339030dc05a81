import { eventKinds, kindByName, predecessor, readEvent, type EventBody } from "@sampai/engine/events";
import type { PlacedCandidate } from "./admit.ts";
import type { LeafFlag } from "./log.ts";

/** What the log notes of an event's content: flags for the judge and the offline id. Never a reason to refuse. */
export interface Content {
  /** The offline id, or null where the bytes cannot be read. */
  readonly id: string | null;
  readonly kind: string | null;
  readonly flags: readonly LeafFlag[];
  /** What a `day.closed` declares; null for all others. */
  readonly close: (EventBody<"dayClosed"> & { readonly at: string }) | null;
}

export function contentOf(device: string, event: PlacedCandidate): Content {
  const read = readEvent(event.bytes);
  if (!read.ok)
    return { id: null, kind: null, flags: [read.error.code === "opaque" ? "opaque" : "schema"], close: null };
  const envelope = read.value;
  const fits = kindByName(envelope.kind)?.body.safeParse(envelope.body).success ?? false;
  const matches =
    envelope.device === device &&
    envelope.run === event.run &&
    envelope.seq === event.seq &&
    predecessor(envelope) === event.prev;
  const flags: LeafFlag[] = [...(fits ? [] : ["schema" as const]), ...(matches ? [] : ["mismatch" as const])];
  const isClose = fits && matches && envelope.kind === eventKinds.dayClosed.name;
  const close = isClose ? { ...(envelope.body as EventBody<"dayClosed">), at: envelope.at } : null;
  return { id: envelope.id, kind: envelope.kind, flags, close };
}
