import net from "node:net";

/** What crossed the link so far, in TCP payload bytes as the sender handed them over. */
export interface LinkCounters {
  readonly upBytes: number;
  readonly downBytes: number;
  readonly connections: number;
  readonly cuts: number;
  /** Milliseconds without a signal so far. */
  readonly downMs: number;
}

export interface ShapedLink {
  readonly port: number;
  counters(): LinkCounters;
  /** No signal: every connection is dropped and new ones are refused. */
  cut(): void;
  restore(): void;
  /** Up for `upMs`, down for `downMs`, again and again until `steady`. */
  flap(upMs: number, downMs: number): void;
  /** Cuts at random moments, `everyMs` apart on average, for `downMs` each, from a seeded source. */
  cutAtRandom(everyMs: number, downMs: number, random: () => number): void;
  steady(): void;
  /** Called whenever the link is up again after it was down. The answer stops it. */
  onRestored(listener: () => void): () => void;
  /**
   * Throws away the next bytes towards the phone that contain `text`, and cuts the connection they were on: the relay
   * has done the work and believes that it answered. Resolves when it happened.
   */
  loseNext(text: string): Promise<void>;
  close(): Promise<void>;
}

export interface LinkShape {
  readonly bitsPerSecond: number;
  /** One way, in milliseconds. */
  readonly delayMs: number;
  /** Sees what is really delivered, in order for each connection and direction. */
  readonly delivered?: (connection: number, direction: Direction, bytes: Buffer) => void;
}

/** Segment payload and header sizes of TCP over IPv4: what a radio link really carries. */
const SEGMENT_BYTES = 1_400;
const HEADER_BYTES = 40;
/** Bytes that wait on the link before the sender is held back, as a phone's send buffer would. */
const QUEUE_BYTES = 65_536;

export type Direction = "up" | "down";

/**
 * A link in user space: one queue per direction, shared by all connections, with a rate and a delay. Kernel shaping
 * is not to be had everywhere, so the bytes really pass through here, between a phone and a relay on this machine.
 */
export async function openShapedLink(targetPort: number, shape: LinkShape): Promise<ShapedLink> {
  const counts = { upBytes: 0, downBytes: 0, connections: 0, cuts: 0 };
  const freeAt: Record<Direction, number> = { up: 0, down: 0 };
  const sockets = new Set<net.Socket>();
  const restored = new Set<() => void>();
  let open = true;
  let downSince = 0;
  let downMs = 0;
  let losing: { text: string; lost: () => void } | null = null;
  let timer: NodeJS.Timeout | undefined;

  const dropAll = () => {
    counts.cuts += 1;
    for (const socket of sockets) socket.destroy();
    freeAt.up = 0;
    freeAt.down = 0;
  };
  const carry = (connection: number, from: net.Socket, to: net.Socket, direction: Direction) => {
    let queuedBytes = 0;
    from.on("data", (chunk: Buffer) => {
      if (direction === "down" && losing !== null && chunk.includes(losing.text)) {
        const { lost } = losing;
        losing = null;
        counts.cuts += 1;
        from.destroy();
        to.destroy();
        lost();
        return;
      }
      for (let at = 0; at < chunk.length; at += SEGMENT_BYTES) {
        const segment = chunk.subarray(at, at + SEGMENT_BYTES);
        const now = performance.now();
        const tookMs = ((segment.length + HEADER_BYTES) * 8_000) / shape.bitsPerSecond;
        freeAt[direction] = Math.max(now, freeAt[direction]) + tookMs;
        queuedBytes += segment.length;
        setTimeout(
          () => {
            queuedBytes -= segment.length;
            if (from.isPaused() && queuedBytes < QUEUE_BYTES / 2) from.resume();
            if (!open || to.destroyed) return;
            counts[direction === "up" ? "upBytes" : "downBytes"] += segment.length;
            shape.delivered?.(connection, direction, segment);
            to.write(segment);
          },
          freeAt[direction] + shape.delayMs - now,
        );
      }
      if (queuedBytes > QUEUE_BYTES) from.pause();
    });
    from.on("end", () =>
      setTimeout(() => to.end(), Math.max(0, freeAt[direction] - performance.now()) + shape.delayMs),
    );
  };
  const server = net.createServer((phone) => {
    if (!open) {
      phone.destroy();
      return;
    }
    counts.connections += 1;
    const relay = net.connect(targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [phone, relay],
      [relay, phone],
    ] as const) {
      socket.setNoDelay();
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        setTimeout(() => other.destroy(), shape.delayMs * 4);
      });
    }
    carry(counts.connections, phone, relay, "up");
    carry(counts.connections, relay, phone, "down");
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the link has no port");

  const cut = () => {
    if (open) downSince = performance.now();
    open = false;
    dropAll();
  };
  const restore = () => {
    if (open) return;
    open = true;
    downMs += performance.now() - downSince;
    for (const listener of restored) listener();
  };
  const steady = () => {
    clearTimeout(timer);
    restore();
  };
  const cycle = (upMs: () => number, downMs: number) => {
    timer = setTimeout(() => {
      cut();
      timer = setTimeout(() => {
        restore();
        cycle(upMs, downMs);
      }, downMs);
    }, upMs());
  };
  return {
    port: address.port,
    counters: () => ({ ...counts, downMs: downMs + (open ? 0 : performance.now() - downSince) }),
    cut,
    restore,
    steady,
    onRestored: (listener) => {
      restored.add(listener);
      return () => restored.delete(listener);
    },
    flap: (upMs, downMs) => cycle(() => upMs, downMs),
    cutAtRandom: (everyMs, downMs, random) => cycle(() => -Math.log(1 - random()) * everyMs, downMs),
    loseNext: (text) =>
      new Promise((resolve) => {
        losing = { text, lost: resolve };
      }),
    close: async () => {
      clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
