import type { Socket } from "node:net";
import type { WebSocket } from "ws";

/**
 * Notices dead connections. Any inbound byte is life: a slow link that carries half a frame is not dead. Asks after
 * `pingMs` of silence, gives up after `silenceMs`.
 */
export function watchLife(
  socket: WebSocket,
  raw: Socket,
  { pingMs, silenceMs }: { pingMs: number; silenceMs: number },
) {
  let seenBytes = raw.bytesRead;
  let silentMs = 0;
  const timer = setInterval(() => {
    if (raw.bytesRead !== seenBytes) {
      seenBytes = raw.bytesRead;
      silentMs = 0;
      return;
    }
    silentMs += pingMs;
    if (silentMs >= silenceMs) return socket.terminate();
    if (!socket.isPaused) socket.ping();
  }, pingMs);
  timer.unref();
  socket.on("close", () => clearInterval(timer));
}
