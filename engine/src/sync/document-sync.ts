import type { Clock } from "../core/clock.ts";
import type { DocumentStore } from "../documents/document-store.ts";
import type { Lanes } from "../outbox/lanes.ts";
import type { Attempt } from "../wire/index.ts";
import type { SyncPart } from "./wire.ts";

export interface DocumentSyncDeps {
  readonly documents: DocumentStore;
  readonly lanes: Lanes;
  readonly clock: Clock;
  /** Notes a push in the attempts ring, which numbers it. */
  readonly attempted: (attempt: Omit<Attempt, "number">) => void;
}

/** Moves documents over a connection: pushes what is unsent, takes the feed, repairs what is doubted. */
export type CreateDocumentSync = (deps: DocumentSyncDeps) => DocumentSync;

export interface DocumentSync extends SyncPart {
  /** Resolves when nothing is unsent, doubted or behind, or the connection is gone. */
  idle(): Promise<void>;
}
