/** One reader of a live feed as the WHATWG's server-sent events have it. */
export interface EventStream {
  readonly response: Response;
  /** Writes an event. A reader whose queue is full is ended: it comes back with its last id. */
  send(message: { readonly id: string; readonly event: string; readonly data: unknown }): void;
  end(): void;
}

/** Bytes that may wait for one reader. */
const QUEUE_BYTES = 1_048_576;
/** A line that says nothing, so that proxies keep the connection and a reader knows a dead one. */
const HEARTBEAT_MS = 15_000;

export function openEventStream(onEnd: () => void): EventStream {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    if (controller === null) return;
    const open = controller;
    controller = null;
    clearInterval(timer);
    onEnd();
    try {
      open.close();
    } catch {
      // The reader was gone first.
    }
  };
  const write = (text: string) => {
    if (controller === null) return;
    const bytes = encoder.encode(text);
    if ((controller.desiredSize ?? 0) < bytes.length) return end();
    controller.enqueue(bytes);
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (opened) => {
        controller = opened;
      },
      cancel: end,
    },
    { highWaterMark: QUEUE_BYTES, size: (chunk) => chunk.length },
  );
  timer = setInterval(() => write(": still here\n\n"), HEARTBEAT_MS);
  timer.unref();
  return {
    response: new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
    }),
    // JSON holds no raw line break, so one data line is enough.
    send: ({ id, event, data }) => write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    end,
  };
}
