import { applyDelta, createDelta, getDeltaTargetSize } from "fossil-delta";
import { err, ok, type Result } from "../core/result.ts";
import { limits } from "../wire/limits.ts";

/**
 * The instance manipulation (RFC 3229 §5) by which a pack travels as what differs from an older one: the Fossil delta
 * format (https://fossil-scm.org/home/doc/tip/www/delta_format.wiki), copies and inserts over the signed bytes.
 */
export const PACK_DELTA = "fossil-delta";

/** What turns `base` into `target`. The same bytes give the same delta. */
export const packDelta = (base: Uint8Array, target: Uint8Array): Uint8Array => createDelta(base, target);

/**
 * The bytes that a delta makes of `base`, or a sentence why it makes none. Never throws, and never makes more than one
 * pack's bytes, whatever the delta claims. The result proves nothing: its hash and signature MUST be checked.
 */
export function applyPackDelta(base: Uint8Array, delta: Uint8Array): Result<Uint8Array, string> {
  if (delta.length > limits.packBytes) return err(`a delta of more than ${limits.packBytes} bytes`);
  try {
    if (getDeltaTargetSize(delta) > limits.packBytes) return err(`makes more than ${limits.packBytes} bytes`);
    return ok(applyDelta(base, delta));
  } catch (error) {
    return err(error instanceof Error ? error.message : "unreadable");
  }
}
