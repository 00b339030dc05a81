import type { Link, LinkEnd } from "../src/sync/link.ts";
import { PROTOCOL } from "../src/wire/messages.ts";

/** RFC 6455: the connection was lost without a close frame. */
const LOST = 1006;
/** The other side speaks text, which this protocol does not know. */
const UNSUPPORTED = 1003;

/**
 * The link over the platform's own WebSocket, in browsers and on Node. `relay` is the base address, `http(s)://…`.
 * The token travels as a second subprotocol, because a browser can set no header here.
 */
export function createWebSocketLink(options: { readonly relay: string; readonly token: string }): Link {
  return {
    open: (events) => {
      let ended = false;
      let socket: WebSocket | undefined;
      const end = (how: LinkEnd) => {
        if (ended) return;
        ended = true;
        events.closed(how);
      };
      try {
        const url = new URL("/v1/sync", options.relay);
        url.protocol = url.protocol.replace("http", "ws");
        socket = new WebSocket(url, [PROTOCOL, `bearer.${options.token}`]);
      } catch (error) {
        queueMicrotask(() => end({ code: LOST, reason: String(error) }));
      }
      if (socket !== undefined) {
        socket.binaryType = "arraybuffer";
        socket.onopen = () => {
          if (!ended) events.opened();
        };
        socket.onmessage = ({ data }: MessageEvent<unknown>) => {
          if (ended) return;
          if (data instanceof ArrayBuffer) events.frame(new Uint8Array(data));
          else close({ code: UNSUPPORTED, reason: "a text frame" });
        };
        socket.onclose = ({ code, reason }) => end({ code, reason });
        // `close` follows every `error`; without a listener Node would report it as uncaught.
        socket.onerror = () => {};
      }
      const close = (how: LinkEnd) => {
        // The closing handshake needs a network that may be gone: the end is told now, the socket dies on its own.
        end(how);
        socket?.close();
      };
      return {
        send: (frame) => {
          if (!ended && socket?.readyState === WebSocket.OPEN) socket.send(frame as Uint8Array<ArrayBuffer>);
        },
        bufferedBytes: () => socket?.bufferedAmount ?? 0,
        close: () => close({ code: 1000, reason: "closed here" }),
      };
    },
  };
}
