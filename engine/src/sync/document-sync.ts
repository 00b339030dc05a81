import type { Clock } from "../core/clock.ts";
import type { DocumentStore } from "../documents/document-store.ts";
import type { Lanes } from "../outbox/lanes.ts";
import type { Attempt } from "../wire/index.ts";
import { createFeed } from "./feed.ts";
import { createPush } from "./push.ts";
import type { SyncPart } from "./wire.ts";

export interface DocumentSyncDeps {
  readonly documents: DocumentStore;
  readonly lanes: Lanes;
  readonly clock: Clock;
  /** Notes a push in the attempts ring, which numbers it. */
  readonly attempted: (attempt: Omit<Attempt, "number">) => void;
}

export interface DocumentSync extends SyncPart {
  /** Whether anything is unsent or doubted, or the feed is behind. */
  busy(): boolean;
  /** Resolves when nothing is unsent, doubted or behind, or the connection is gone. */
  idle(): Promise<void>;
}

/** Moves documents over a connection: pushes what is unsent, takes the feed, repairs what is doubted. */
export function createDocumentSync({ documents, lanes, clock, attempted }: DocumentSyncDeps): DocumentSync {
  let waiting: (() => void)[] = [];
  let online = false;
  const progressed = () => {
    if (online && busy()) return;
    const done = waiting;
    waiting = [];
    for (const resolve of done) resolve();
  };
  const push = createPush({ documents, lanes, clock, attempted, progressed, feedSettled: () => feed.settled() });
  const feed = createFeed(documents, clock, progressed);
  const busy = () => push.busy() || feed.busy();
  documents.onWork(() => push.wake());

  return {
    name: "documents",
    connected: (wire, claimed) => {
      online = true;
      feed.start(wire, claimed);
      push.start(wire);
    },
    receive: (message) => {
      if (message.type === "changes") feed.frame(message);
    },
    lost: () => {
      online = false;
      push.stop();
      feed.stop();
      progressed();
    },
    busy,
    idle: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        progressed();
      }),
  };
}
