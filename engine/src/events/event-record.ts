import { z } from "zod";
import type { Result } from "../core/result.ts";
import { decodeFrame, encodeFrame, type Refusal } from "../wire/index.ts";

/** An event as this device keeps it: one value of the storage, the signed bytes inside it untouched. */
const eventRecordSchema = z.strictObject({
  run: z.string(),
  seq: z.int().min(1),
  /** Hash of the event it follows; null only for a device's first. */
  prev: z.string().nullable(),
  hash: z.string(),
  /** RFC 3339 UTC: when it became durable here. */
  savedAt: z.string(),
  /** The relay gave it back: this device had lost it. */
  given: z.boolean(),
  bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
});
export type EventRecord = z.infer<typeof eventRecordSchema>;

export function encodeEventRecord(record: EventRecord): Uint8Array {
  return encodeFrame(record);
}

export function decodeEventRecord(value: Uint8Array): Result<EventRecord, Refusal> {
  return decodeFrame(eventRecordSchema, value);
}
