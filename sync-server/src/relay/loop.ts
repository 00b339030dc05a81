import { decodeFrame, limits, phoneMessageSchema, type PhoneMessage } from "@sampai/engine/wire";
import type { Logger } from "pino";
import { RateLimiterMemory } from "rate-limiter-flexible";
import type { WebSocket } from "ws";
import { DiskFull } from "../database/writer.ts";
import { FULL_RETRY_MS } from "./append.ts";
import type { Connection, RelayPart } from "./part.ts";

/** Messages that wait in one connection before the relay stops reading from it for a while. */
const WAITING = 64;
/** What one device may cost in ten seconds: a frame counts 1, an event 1, a claim (which reads and writes more) 2,500. */
const COST_PER_WINDOW = 300_000;
const CLAIM_COST = 2_500;
/** Costs are counted in pieces of this size. */
const COUNTED = 100;

/** Takes a connection's frames one by one: decode, find the part, hand over. */
export interface Loop {
  /** Serves the connection until its socket closes. */
  serve(socket: WebSocket, connection: Connection): void;
}

/**
 * Each part gets the messages of a connection in their order, the next when it has taken the last; parts do not wait
 * for each other, so a slow document never keeps an order waiting. What a part throws ends this connection only.
 */
export function createLoop(parts: readonly RelayPart[], log: Logger): Loop {
  const partOf = new Map(parts.flatMap((part) => part.handles.map((type) => [type, part] as const)));
  const rate = new RateLimiterMemory({ points: COST_PER_WINDOW, duration: 10 });

  const serve = (socket: WebSocket, connection: Connection) => {
    const { device } = connection.caller;
    const turns = new Map<RelayPart, Promise<void>>();
    let waiting = 0;
    let cost = 0;
    let open = true;

    const take = async (part: RelayPart, message: PhoneMessage) => {
      try {
        if (open) await part.receive(connection, message);
      } catch (error) {
        const n = "n" in message ? message.n : null;
        if (error instanceof DiskFull) {
          connection.refuse(n, { code: "storage.full", retryAfterMs: FULL_RETRY_MS });
        } else {
          log.error({ part: part.name, type: message.type, device, error: traceOf(error) }, "a part threw");
          connection.refuse(n, { code: "relay.busy" });
        }
      }
      waiting -= 1;
      if (socket.isPaused && waiting < WAITING / 2) socket.resume();
    };

    socket.on("message", (data: Buffer, isBinary: boolean) => {
      if (!open || socket.readyState !== socket.OPEN) return;
      if (!isBinary) return connection.refuse(null, { code: "frame.malformed", detail: "a text frame" });
      const message = decodeFrame(phoneMessageSchema, data);
      if (!message.ok) return connection.refuse(null, message.error);
      cost += costOf(message.value);
      if (cost >= COUNTED) {
        rate.consume(device, cost).catch(() => connection.refuse(null, { code: "frame.rate", retryAfterMs: 10_000 }));
        cost = 0;
      }
      const part = partOf.get(message.value.type);
      if (part === undefined) {
        return connection.refuse("n" in message.value ? message.value.n : null, {
          code: "request.unknown",
          detail: message.value.type,
        });
      }
      waiting += 1;
      if (waiting >= WAITING) socket.pause();
      const before = turns.get(part) ?? Promise.resolve();
      turns.set(
        part,
        before.then(() => take(part, message.value)),
      );
    });
    socket.on("close", () => {
      open = false;
      for (const part of parts) contained(() => part.closed?.(connection), part, log);
    });
    for (const part of parts) contained(() => part.opened?.(connection), part, log);
  };
  return { serve };
}

function costOf(message: PhoneMessage): number {
  if (message.type === "claim") return CLAIM_COST;
  return message.type === "append" ? 1 + message.events.length : 1;
}

function contained(run: () => void, part: RelayPart, log: Logger): void {
  try {
    run();
  } catch (error) {
    log.error({ part: part.name, error: traceOf(error) }, "a part threw");
  }
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** What `ws` is told: bounded frames, no compression (a small frame could unfold into a large one). */
export const socketOptions = {
  noServer: true,
  maxPayload: limits.frameBytes,
  perMessageDeflate: false,
  clientTracking: false,
} as const;
