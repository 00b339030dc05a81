import { msFromUtc } from "@sampai/engine/core";
import type { Envelope } from "@sampai/engine";

const FUTURE_MS = 300_000;

/**
 * When a fact happened, for figures by day, in milliseconds since 1970: as the phone says, unless that lies in the
 * relay's future or is no time at all; then when it arrived.
 */
export function captureMs(event: Envelope, received: string): number {
  const ms = msFromUtc(event.at);
  const receivedMs = msFromUtc(received);
  return Number.isNaN(ms) || ms > receivedMs + FUTURE_MS ? receivedMs : ms;
}
