import type { Clock } from "@sampai/engine/core";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";

interface Patience {
  readonly pingMs: number;
  readonly silenceMs: number;
}

/** How long a connection can stay open after its last byte: it is looked at every `pingMs`, and given up at the nearest look. */
export const longestSilenceMs = ({ pingMs, silenceMs }: Patience): number => silenceMs + pingMs / 2;

/**
 * Notices dead connections. Any inbound byte is life: a slow link that carries half a frame is not dead. Asks after
 * `pingMs` of silence, gives up after `silenceMs`. What came between two looks may have come right after the first.
 */
export function watchLife(
  socket: Pick<WebSocket, "isPaused" | "ping" | "terminate" | "on">,
  raw: Pick<Socket, "bytesRead">,
  { pingMs, silenceMs }: Patience,
  clock: Pick<Clock, "tickMs" | "after">,
): void {
  let seenBytes = raw.bytesRead;
  let lookedAtMs = clock.tickMs();
  let aliveAtMs = lookedAtMs;
  const look = () => {
    const nowMs = clock.tickMs();
    if (raw.bytesRead === seenBytes) {
      if (nowMs - aliveAtMs > silenceMs - pingMs / 2) return socket.terminate();
      if (!socket.isPaused) socket.ping();
    } else {
      seenBytes = raw.bytesRead;
      aliveAtMs = lookedAtMs;
    }
    lookedAtMs = nowMs;
    cancel = clock.after(pingMs, look);
  };
  let cancel = clock.after(pingMs, look);
  socket.on("close", () => cancel());
}
