import type { BoardDelta, BoardRow, BoardSnapshot } from "../../src/boards/board.ts";

export interface LiveEvent {
  readonly id: string;
  readonly event: string;
  readonly data: BoardSnapshot & BoardDelta;
}

/** Reads a board's server-sent events and keeps the board that they make. */
export async function readLive(url: string, token: string, lastId: string | null = null) {
  const stop = new AbortController();
  const response = await fetch(url, {
    signal: stop.signal,
    headers: { authorization: `Bearer ${token}`, ...(lastId === null ? {} : { "last-event-id": lastId }) },
  });
  const events: LiveEvent[] = [];
  const rows = new Map<string, BoardRow>();
  let top: BoardSnapshot["top"] | null = null;
  const waiting = new Set<() => void>();
  const take = (block: string) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
    if (!block.includes("data: ")) return;
    const event = { id: field("id"), event: field("event"), data: JSON.parse(field("data")) as LiveEvent["data"] };
    events.push(event);
    if (event.event === "snapshot") rows.clear();
    for (const row of event.event === "snapshot" ? event.data.rows : event.data.put) rows.set(row.key, row);
    for (const key of event.event === "snapshot" ? [] : event.data.gone) rows.delete(key);
    top = event.data.top ?? top;
    for (const look of waiting) look();
  };
  const read = async () => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        take(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  };
  const ended = response.ok ? read().catch(() => undefined) : Promise.resolve();
  return {
    status: response.status,
    events,
    rows,
    top: () => top,
    ended,
    /** Resolves once the board is as wanted. */
    until: (wanted: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        const look = () => {
          if (!wanted()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    stop: () => stop.abort(),
  };
}
