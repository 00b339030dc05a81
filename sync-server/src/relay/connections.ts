import { encodeFrame, limits, refusals, type Refusal, type RelayMessage } from "@sampai/engine/wire";
import type { WebSocket } from "ws";
import type { Caller, Connection } from "./part.ts";
import type { RefusalNotes } from "./refusal-notes.ts";

const TOO_SLOW = 1013;
/** After a close was asked for, the other side gets this long to answer before the socket is destroyed. */
const CLOSE_MS = 2_000;
let nextId = 0;

/**
 * Gives an authenticated websocket the face that the relay's rooms see. One that does not speak our protocol is sent no
 * message of it, but only whole frames.
 */
export function createConnection(
  socket: WebSocket,
  caller: Caller,
  notes: RefusalNotes,
  speaksOurs = true,
): Connection {
  const close = (code: number, reason: string) => {
    if (socket.readyState !== socket.OPEN) return;
    socket.close(code, reason.slice(0, 100));
    setTimeout(() => socket.terminate(), CLOSE_MS).unref();
  };
  const sendFrame = (frame: Uint8Array) => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount + frame.length > limits.sendQueueBytes) {
      close(TOO_SLOW, "reads too slowly");
      return;
    }
    socket.send(frame, { binary: true });
  };
  const send = (message: RelayMessage) => {
    if (speaksOurs) sendFrame(encodeFrame(message));
  };
  return {
    id: (nextId += 1),
    caller,
    send,
    sendFrame,
    refuse: (n, refusal: Refusal) => {
      const { code, detail, retryAfterMs } = refusal;
      send({
        type: "refused",
        n,
        code,
        ...(detail === undefined ? {} : { detail }),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      });
      notes.note(refusal, { device: caller.device }, { via: "websocket" });
      const end = refusals[code].close;
      if (end !== null) close(end, code);
    },
    bufferedBytes: () => socket.bufferedAmount,
    close,
  };
}
