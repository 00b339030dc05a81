import { createParser } from "eventsource-parser";

export interface FeedEvent {
  readonly event: string;
  readonly data: unknown;
}

export interface FeedListener {
  /** The relay answered: from now on what is shown is live. */
  connected(): void;
  event(event: FeedEvent): void;
  /** `status` is the HTTP status of a refusal, 0 where the connection was lost. It is tried again all the same. */
  lost(status: number): void;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** The relay sends a comment at least this often; silence beyond it is a dead connection. */
const SILENCE_MS = 45_000;

/**
 * Reads a feed of server-sent events by `fetch`, because EventSource can send no token. After a break it goes on from
 * the last event id, with a growing and jittered wait. The answer ends it.
 */
export function followFeed(url: string, token: string, listener: FeedListener): () => void {
  let open = true;
  let lastId: string | undefined;
  let waitMs = FIRST_WAIT_MS;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let abort = new AbortController();

  const read = async (): Promise<number> => {
    abort = new AbortController();
    let silence = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      const answer = await fetch(url, {
        headers: {
          accept: "text/event-stream",
          authorization: `Bearer ${token}`,
          ...(lastId === undefined ? {} : { "last-event-id": lastId }),
        },
        cache: "no-store",
        signal: abort.signal,
      });
      if (!answer.ok || answer.body === null) return answer.status;
      listener.connected();
      waitMs = FIRST_WAIT_MS;
      const parser = createParser({
        onEvent: ({ id, event, data }) => {
          if (id !== undefined) lastId = id;
          if (open) listener.event({ event: event ?? "message", data: JSON.parse(data) as unknown });
        },
      });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 0;
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);
        parser.feed(value);
      }
    } catch {
      return 0;
    } finally {
      clearTimeout(silence);
    }
  };
  const run = async () => {
    const status = await read();
    if (!open) return;
    listener.lost(status);
    clearTimeout(retry);
    retry = setTimeout(() => void run(), waitMs * (0.5 + Math.random()));
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
  };
  const now = () => {
    if (!open) return;
    waitMs = FIRST_WAIT_MS;
    abort.abort();
  };
  addEventListener("online", now);
  void run();
  return () => {
    open = false;
    removeEventListener("online", now);
    clearTimeout(retry);
    abort.abort();
  };
}
