import type { Clock } from "../core/clock.ts";
import type { DocumentStore, FeedPart } from "../documents/document-store.ts";
import { unfoldBundle, type FeedCursor, type RelayMessage } from "../wire/index.ts";
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
  /** Resolves when every frame that has come by now is durable, or the connection is gone. */
  settled(): Promise<void>;
}

/**
 * Takes the relay's stream of document changes from the durable cursor on. Frames are made durable in the order in
 * which they came, whatever waits together in one commit with the cursor behind it; only then the relay is told `fed`. A
 * phone that lacks nothing writes and says nothing: its request has told the relay where it stands.
 */
export function createFeed(documents: DocumentStore, clock: Clock, progressed: () => void): Feed {
  let wire: Wire | null = null;
  let queue: Changes[] = [];
  /** Frames that overtook the answer which opens the catch-up: until it is queued, nothing is taken. */
  let opened = false;
  let catchingUp = false;
  let draining = false;
  let cancelRetry: (() => void) | null = null;
  /** Frames of this connection that came, and how many of them are durable. */
  let came = 0;
  let durable = 0;
  let waiting: { readonly goal: number; readonly resolve: () => void }[] = [];

  function resolveWaiting() {
    const done = waiting.filter(({ goal }) => wire === null || goal <= durable);
    waiting = waiting.filter((each) => !done.includes(each));
    for (const { resolve } of done) resolve();
  }

  async function ask(now: Wire, claimed: WireAnswers["claim"], fromStart: boolean): Promise<void> {
    const cursor = fromStart ? null : documents.cursor();
    if (cursor !== null && cursor.term !== claimed.term) await documents.doubtAll();
    const answer = await now.request({ type: "feed", cursor, bundles: true });
    if (wire !== now) return;
    if (answer.ok) {
      queue.unshift(answer.value);
      came += 1;
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

  /**
   * Makes durable what can be read, up to the first frame that cannot. Answers the cursor behind it where that says
   * something new: not where nothing came and it stands where it stood.
   */
  async function take(frames: readonly Changes[]): Promise<{ cursor: FeedCursor | null; readable: boolean }> {
    const parts: FeedPart[] = [];
    for (const frame of frames) {
      const part = partOf(frame);
      if (part === null) break;
      parts.push(part);
    }
    const readable = parts.length === frames.length;
    const cursor = parts.at(-1)?.cursor ?? null;
    const brought = parts.some(({ items, leave }) => items.length + leave.length > 0);
    if (cursor === null || (!brought && isSame(cursor, documents.cursor()))) return { cursor: null, readable };
    await documents.receive(parts);
    return { cursor, readable };
  }

  /** Null where its bundle cannot be read. */
  function partOf({ bundle, items, leave, cursor }: Changes): FeedPart | null {
    if (bundle === undefined) return { items, leave, cursor };
    const bundled = unfoldBundle(bundle);
    if (!bundled.ok) return null;
    const whole = bundled.value.map((item) => ({ ...item, doc: documents.idOf(item.kind, item.key), snapshot: true }));
    return { items: [...whole, ...items], leave, cursor };
  }

  function drain() {
    if (draining || !opened || queue.length === 0) return;
    draining = true;
    const now = wire;
    const frames = queue;
    queue = [];
    void take(frames)
      .then(({ cursor, readable }) => {
        if (now === null || wire !== now) return;
        if (cursor !== null) now.send({ type: "fed", cursor });
        // What follows would move the cursor over what is missing.
        if (!readable) now.giveUp();
      })
      .finally(() => {
        draining = false;
        if (wire === now) durable += frames.length;
        resolveWaiting();
        progressed();
        drain();
      });
  }

  return {
    start: (connected, claimed) => {
      wire = connected;
      queue = [];
      came = 0;
      durable = 0;
      opened = false;
      catchingUp = true;
      void ask(connected, claimed, false);
    },
    frame: (changes) => {
      if (wire === null) return;
      queue.push(changes);
      came += 1;
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
      resolveWaiting();
    },
    busy: () => catchingUp || draining || queue.length > 0,
    settled: () =>
      new Promise((resolve) => {
        waiting.push({ goal: came, resolve });
        resolveWaiting();
      }),
  };
}

function isSame(a: FeedCursor, b: FeedCursor | null): boolean {
  return b !== null && a.term === b.term && a.position === b.position && a.scope === b.scope;
}
