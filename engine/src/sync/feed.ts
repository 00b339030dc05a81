import type { Clock } from "../core/clock.ts";
import type { DocumentStore } from "../documents/document-store.ts";
import type { FeedCursor, RelayMessage } from "../wire/index.ts";
import type { Wire, WireAnswers } from "./wire.ts";

type Changes = Extract<RelayMessage, { type: "changes" }>;

/** Wait before asking for the feed again after the relay said no. */
const RETRY_MS = 5_000;

export interface Feed {
  start(wire: Wire, claimed: WireAnswers["claim"]): void;
  /** A frame of the feed that answers no request: more of the catch-up, or a live change. */
  frame(changes: Changes): void;
  stop(): void;
  /** Whether the catch-up is still under way or something waits to be made durable. */
  busy(): boolean;
}

/**
 * Takes the relay's stream of document changes from the durable cursor on. Frames are made durable in the order in
 * which they came, whatever waits together in one commit with the cursor behind it; only then the relay is told `fed`. A phone that lacks nothing writes and says nothing: its
 * request has told the relay where it stands.
 */
export function createFeed(documents: DocumentStore, clock: Clock, progressed: () => void): Feed {
  let wire: Wire | null = null;
  let queue: Changes[] = [];
  /** Frames that overtook the answer which opens the catch-up: until it is queued, nothing is taken. */
  let opened = false;
  let catchingUp = false;
  let draining = false;
  let cancelRetry: (() => void) | null = null;

  async function ask(now: Wire, claimed: WireAnswers["claim"], fromStart: boolean): Promise<void> {
    const cursor = fromStart ? null : documents.cursor();
    if (cursor !== null && cursor.term !== claimed.term) await documents.doubtAll();
    const answer = await now.request({ type: "feed", cursor });
    if (wire !== now) return;
    if (answer.ok) {
      queue.unshift(answer.value);
      opened = true;
      catchingUp = (queue.at(-1) ?? answer.value).more;
      drain();
      return;
    }
    if (answer.error.code === "lost") return;
    // A cursor that this relay does not take is worth less than none.
    const again = !fromStart && cursor !== null;
    cancelRetry = clock.after(again ? 0 : RETRY_MS, () => void ask(now, claimed, again));
  }

  /** Answers the cursor that is durable now and was not before; null where nothing came and it stands where it stood. */
  async function take(parts: readonly Changes[]): Promise<FeedCursor | null> {
    const cursor = parts.at(-1)?.cursor;
    if (cursor === undefined) return null;
    const isNew =
      parts.some(({ items, leave }) => items.length + leave.length > 0) || !isSame(cursor, documents.cursor());
    if (isNew) await documents.receive(parts);
    return isNew ? cursor : null;
  }

  function drain() {
    if (draining || !opened || queue.length === 0) return;
    draining = true;
    const now = wire;
    const parts = queue;
    queue = [];
    void take(parts)
      .then((cursor) => {
        if (now !== null && wire === now && cursor !== null) now.send({ type: "fed", cursor });
      })
      .finally(() => {
        draining = false;
        progressed();
        drain();
      });
  }

  return {
    start: (connected, claimed) => {
      wire = connected;
      queue = [];
      opened = false;
      catchingUp = true;
      void ask(connected, claimed, false);
    },
    frame: (changes) => {
      if (wire === null) return;
      queue.push(changes);
      catchingUp = changes.more || !opened;
      drain();
    },
    stop: () => {
      wire = null;
      // What did not become durable comes again: the cursor has not moved.
      queue = [];
      opened = false;
      catchingUp = false;
      cancelRetry?.();
      cancelRetry = null;
    },
    busy: () => catchingUp || draining || queue.length > 0,
  };
}

function isSame(a: FeedCursor, b: FeedCursor | null): boolean {
  return b !== null && a.term === b.term && a.position === b.position && a.scope === b.scope;
}
