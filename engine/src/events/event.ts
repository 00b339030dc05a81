import { z } from "zod";
import { sha256Hex, utf8ToBytes } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const run = z.string().regex(/^[0-9a-f]{16}$/);
const utc = z.iso.datetime({ offset: false });

/** Where it happened, or why nobody knows. Absent means not checked, never clean. */
export const placeSchema = z.union([
  z.strictObject({
    /** Degrees, WGS 84. Impossible values are accepted here and judged later: a phone may send what its sensor said. */
    lat: z.number(),
    lon: z.number(),
    /** Radius in metres. */
    accuracy: z.number().min(0),
    /** Milliseconds between the fix and the event. */
    age: z.number().min(0),
    provider: z.string().max(40),
    mock: z.boolean(),
  }),
  z.strictObject({ missing: z.enum(["denied", "timeout", "off", "outside-working-day"]) }),
]);
export type Place = z.infer<typeof placeSchema>;

/**
 * The envelope of a fact. It is stored and hashed as the UTF-8 JSON that the phone wrote; nobody ever writes it again.
 * `seq` is gapless from 1 within `run`; `prev` is the hash of the event before, `parent` (only on seq 1) the last event
 * of the device's run before this one.
 */
export const envelopeSchema = z.looseObject({
  v: z.literal(1),
  id: z.uuid(),
  kind: z.string().min(1).max(60),
  workspace: z.string().min(1).max(60),
  device: z.string().min(1).max(60),
  run,
  seq: z.int().min(1),
  prev: hash.nullable(),
  parent: z
    .strictObject({ run, seq: z.int().min(1), hash })
    .nullable()
    .optional(),
  rep: z.string().min(1).max(60),
  visit: z.uuid().nullable(),
  store: z.string().max(60).nullable(),
  /** RFC 3339 UTC with `Z`: when it happened, as well as the phone can tell. */
  at: utc,
  /** Minutes that the phone's local time was ahead of UTC. */
  offset: z.int().min(-1_440).max(1_440),
  zone: z.string().max(60),
  clock: z.strictObject({
    tick: z.number(),
    boot: z.string().max(60),
    anchor: z.strictObject({ tick: z.number(), at: utc }).nullable(),
    /** What the phone's own wall clock said, RFC 3339 UTC. */
    wall: utc,
  }),
  place: placeSchema.nullable(),
  /** The reference pack and the store master's heads as the rep saw them. */
  seen: z.strictObject({ pack: z.int().nullable(), store: z.array(hash) }),
  body: z.unknown(),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/** An event as it is kept: the bytes are the truth, the rest is read from them or stated beside them. */
export interface StoredEvent {
  readonly run: string;
  readonly seq: number;
  /** Hash of the event before it: `prev`, for seq 1 the parent's hash, null only for a device's first run. */
  readonly prev: string | null;
  readonly hash: string;
  readonly bytes: Uint8Array;
}

export function eventBytes(envelope: Envelope): Uint8Array {
  return utf8ToBytes(JSON.stringify(envelope));
}

export function eventHash(bytes: Uint8Array): string {
  return sha256Hex(bytes);
}

/** The hash an event must wait for before it can be placed. */
export function predecessor(envelope: Pick<Envelope, "seq" | "prev" | "parent">): string | null {
  return envelope.seq > 1 ? envelope.prev : (envelope.parent?.hash ?? null);
}

export type ReadError = { readonly code: "opaque" | "envelope"; readonly detail: string };

/**
 * Reads an event's bytes. *Readable* means that writing the parsed value again gives the same bytes, so that no two
 * readers can see different values (duplicate keys, odd numbers, byte order marks are all `opaque`).
 */
export function readEvent(bytes: Uint8Array): Result<Envelope, ReadError> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    return err({ code: "opaque", detail: "not UTF-8 JSON" });
  }
  if (JSON.stringify(value) !== text) return err({ code: "opaque", detail: "not in the one form that reads alike" });
  const parsed = envelopeSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return err({ code: "envelope", detail: issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}` });
  }
  return ok(parsed.data);
}
