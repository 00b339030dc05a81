import type { Clock, ClockAnchor } from "../core/clock.ts";
import type { Random } from "../core/random.ts";
import type { Result } from "../core/result.ts";
import type { Identity } from "../identity.ts";
import type { Storage } from "../storage/storage.ts";
import type { ChangesItem, FeedCursor } from "../wire/messages.ts";
import type { Refusal } from "../wire/refusals.ts";
import type { DocumentKind, Documents } from "./documents.ts";
import type { ReadingRules } from "./view.ts";

export interface DocumentsDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly storage: Storage;
  /** The last relay time this device knows, for the time of edits. */
  readonly anchor: () => ClockAnchor | null;
  /** The reading rules of the pack in force: `readingRules(reference.current())`. */
  readonly rules: () => ReadingRules;
}

/** One local change (or the origin of a new document) that the relay is not known to hold. */
export interface UnsentChange {
  /** Counts up per document; the order in which they were made. */
  readonly number: number;
  readonly hashes: readonly string[];
  readonly bytes: Uint8Array;
}

/** What the relay answered to `heads`: its changes since those heads, or its whole document. */
export interface RelayState {
  readonly bytes: Uint8Array;
  readonly snapshot: boolean;
  readonly heads: readonly string[];
}

/** One part of the feed: becomes durable together with the cursor behind it. */
export interface FeedPart {
  readonly items: readonly ChangesItem[];
  readonly leave: readonly string[];
  readonly cursor: FeedCursor;
}

/** The documents of this device with the side that syncing needs. */
export interface DocumentStore extends Documents {
  /** Up to where the relay's stream of document changes is durable here; null before the first feed. */
  cursor(): FeedCursor | null;
  /** Kind and key of a document that is here, also of one that left this device's territory and waits hidden. */
  identify(doc: string): { readonly kind: DocumentKind; readonly key: string } | undefined;
  /** The id of a document of this workspace, here or not. */
  idOf(kind: string, key: string): string;
  /** Every document that is here, hidden ones too. */
  all(): readonly string[];
  /** Oldest first; an edit made later depends on the ones before it. */
  unsent(doc: string): readonly UnsentChange[];
  /** The relay holds these changes durably. */
  stored(doc: string, hashes: readonly string[]): Promise<void>;
  /**
   * Takes the document back to what the relay holds (its whole document; null: nothing, and what came from it before
   * stands; `not-ours`: it does not show it to this device, so it is hidden, and gone when nothing waits to be sent).
   * Edits whose changes were refused wait in `needsYou`; the others are kept as they are
   * where they can be, else replayed under a new actor with the time they were made at.
   */
  reset(doc: string, refusals: ReadonlyMap<string, Refusal>, relay: RelayState | "not-ours" | null): Promise<void>;
  /** Makes a part of the feed and its cursor durable in one commit, then shows it. */
  receive(parts: readonly FeedPart[]): Promise<void>;
  /** Documents whose content here is doubted (damaged bytes, missing dependencies): to be repaired through `heads`. */
  doubted(): readonly string[];
  /** Doubts every document, because the relay's history changed under us (another term). */
  doubtAll(): Promise<void>;
  /** Heads of what can be read here, for `heads`. */
  headsOf(doc: string): Promise<readonly string[]>;
  /** Takes the relay's answer; what is here and not there becomes unsent. */
  repair(doc: string, relay: RelayState | null): Promise<Result<void, { readonly code: "still-damaged" }>>;
  /** Called when there is something to push or to repair. The answer stops it. */
  onWork(listener: () => void): () => void;
  /** The pack brought other conflict rules: reads every summary again, in idle turns. */
  rulesChanged(): void;
  /** Resolves when idle work (summaries of documents that came while closed) is done. */
  settled(): Promise<void>;
  /** Stops idle work, after what is being saved is saved. */
  close(): Promise<void>;
}
