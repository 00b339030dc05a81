import { decodeFrame, encodeFrame, relayMessageSchema } from "@sampai/engine/wire";
import type { Connection } from "../relay/part.ts";

/**
 * The face of a stock client to the relay's other rooms: it understands none of our messages but presence, which
 * becomes an ephemeral message of its own protocol.
 */
export function asStockConnection(
  connection: Connection,
  onPresent: (present: { doc: string; device: string; session: string; count: number; data: Uint8Array }) => void,
): Connection {
  return {
    ...connection,
    send: () => undefined,
    sendFrame: (frame) => {
      const message = decodeFrame(relayMessageSchema, frame);
      if (message.ok && message.value.type === "present") onPresent(message.value);
    },
  };
}

/** Sends one message of the stock protocol. */
export const tell = (connection: Connection, message: object): void => connection.sendFrame(encodeFrame(message));
