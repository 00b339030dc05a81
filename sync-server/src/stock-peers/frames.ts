import { z } from "zod";

/** What a client of automerge-repo says on its websocket, protocol version 1. Only what the relay reads is checked. */
const peerId = z.string().min(1).max(200);
const documentId = z.string().min(20).max(40);
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, "is not bytes");

export const stockMessageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("join"),
    senderId: peerId,
    /** Absent where only version 1 is meant. */
    supportedProtocolVersions: z.array(z.string().max(20)).max(20).optional(),
  }),
  z.object({ type: z.literal("sync"), senderId: peerId, documentId, data: bytes }),
  z.object({ type: z.literal("request"), senderId: peerId, documentId, data: bytes }),
  z.object({ type: z.literal("doc-unavailable"), senderId: peerId, documentId }),
  z.object({
    type: z.literal("ephemeral"),
    senderId: peerId,
    documentId,
    count: z.int().min(0),
    sessionId: z.string().min(1).max(60),
    data: bytes,
  }),
  z.object({ type: z.literal("remote-subscription-change"), senderId: peerId }),
  z.object({ type: z.literal("remote-heads-changed"), senderId: peerId }),
]);
export type StockMessage = z.infer<typeof stockMessageSchema>;

/** Protocol versions of automerge-repo's websocket that are spoken here. */
export const STOCK_VERSION = "1";
