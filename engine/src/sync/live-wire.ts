import type { Clock } from "../core/clock.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { LaneName, Meter } from "../outbox/lanes.ts";
import {
  decodeFrame,
  encodeFrame,
  foldFrame,
  relayMessageSchema,
  type PhoneMessage,
  type Refusal,
  type RelayMessage,
} from "../wire/index.ts";
import type { LinkConnection } from "./link.ts";
import type { Wire, WireAnswers, WireFailure, WireRequest } from "./wire.ts";

/** A request without an answer, and not one byte from the relay, for so long: the link is dead although nobody said so. */
const SILENCE_MS = 15_000;
const CHECK_MS = 5_000;
/** A websocket frame's own bytes (RFC 6455 §5.2, masked, longer than 125). */
const FRAME_BYTES = 8;

/** One open connection with its requests and answers. */
export interface LiveWire extends Wire {
  /** Takes a frame: answers the request it belongs to, or gives back what answers none. */
  take(frame: Uint8Array): Result<RelayMessage | null, Refusal>;
  /** Tick of the last byte from the relay, in milliseconds. */
  lastHeardMs(): number;
  /** The connection is gone: every request answers `lost`. */
  end(): void;
}

type Answered = Result<RelayMessage, WireFailure>;

export function createLiveWire(options: {
  readonly connection: LinkConnection;
  readonly clock: Clock;
  readonly meter: Meter;
  /** A batch of facts, `bytes` on the link, was answered after `tookMs`. */
  readonly measured?: ((bytes: number, tookMs: number) => void) | undefined;
  /** Called when the link is found dead, or what comes over it cannot be read. */
  readonly onDead: () => void;
}): LiveWire {
  const { connection, clock, meter, onDead } = options;
  const pending = new Map<number, { readonly resolve: (answer: Answered) => void; readonly sinceMs: number }>();
  let next = 1;
  let ended = false;
  let heardMs = clock.tickMs();
  let buffered = 0;
  let cancelCheck: (() => void) | null = null;

  const send = (message: PhoneMessage) => {
    if (ended) return 0;
    const frame = foldFrame(encodeFrame(message));
    meter.sent(laneOf(message), frame.length + FRAME_BYTES);
    connection.send(frame);
    return frame.length + FRAME_BYTES;
  };
  const wait = (n: number): Promise<Answered> => {
    if (ended) return Promise.resolve(err({ code: "lost" }));
    return new Promise((resolve) => {
      pending.set(n, { resolve, sinceMs: clock.tickMs() });
      watch();
    });
  };
  const watch = () => {
    if (cancelCheck !== null || pending.size === 0) return;
    cancelCheck = clock.after(CHECK_MS, () => {
      cancelCheck = null;
      if (ended || pending.size === 0) return;
      const now = clock.tickMs();
      // Bytes that still leave are life too: on a slow link a batch takes its time.
      const waiting = connection.bufferedBytes();
      if (waiting < buffered) heardMs = Math.max(heardMs, now);
      buffered = waiting;
      const oldestMs = Math.min(...[...pending.values()].map(({ sinceMs }) => sinceMs));
      if (now - Math.max(heardMs, oldestMs) >= SILENCE_MS) onDead();
      else watch();
    });
  };
  const settle = (n: number, answer: Answered): boolean => {
    const waiting = pending.get(n);
    if (waiting === undefined) return false;
    pending.delete(n);
    waiting.resolve(answer);
    return true;
  };
  const begin = () => {
    const n = next;
    next += 1;
    return n;
  };

  return {
    request: async <R extends WireRequest>(message: R) => {
      const n = begin();
      const answer = wait(n);
      const sentMs = clock.tickMs();
      const bytes = send({ ...message, n });
      const answered = await answer;
      if (message.type === "append" && answered.ok) options.measured?.(bytes, clock.tickMs() - sentMs);
      return answered as Result<WireAnswers[R["type"]], WireFailure>;
    },
    begin,
    sendPiece: (n, message) => {
      send({ ...message, n });
    },
    answer: async (n) => (await wait(n)) as Result<WireAnswers["push"], WireFailure>,
    send: (message) => {
      send(message);
    },
    giveUp: () => {
      if (!ended) onDead();
    },
    take: (frame) => {
      if (ended) return ok(null);
      heardMs = clock.tickMs();
      const message = decodeFrame(relayMessageSchema, frame);
      if (!message.ok) {
        meter.received("link", frame.length + FRAME_BYTES);
        return message;
      }
      meter.received(laneOf(message.value), frame.length + FRAME_BYTES);
      const { value } = message;
      if (value.type === "refused" && value.n !== null) {
        const { code, detail, retryAfterMs } = value;
        const refusal: Refusal = {
          code,
          ...(detail === undefined ? {} : { detail }),
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        };
        settle(value.n, err(refusal));
        return ok(null);
      }
      if ("n" in value && value.n !== null && settle(value.n, ok(value))) return ok(null);
      return ok(value);
    },
    lastHeardMs: () => heardMs,
    end: () => {
      ended = true;
      cancelCheck?.();
      for (const n of pending.keys()) settle(n, err({ code: "lost" }));
    },
  };
}

function laneOf(message: PhoneMessage | RelayMessage): LaneName | "link" {
  switch (message.type) {
    case "append":
    case "appended":
    case "hole":
    case "holed":
      return "facts";
    case "push":
    case "pushed":
    case "feed":
    case "fed":
    case "changes":
    case "heads":
    case "repair":
    case "presence":
    case "present":
      return "documents";
    case "claim":
    case "claimed":
    case "pack":
    case "notice":
    case "certificate":
    case "refused":
      return "link";
  }
}
