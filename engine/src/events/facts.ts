import type { Result } from "../core/result.ts";
import type { StorageWrite } from "../storage/storage.ts";
import type { Envelope, Place } from "./event.ts";
import type { EventBody, EventKindName } from "./kinds/index.ts";

/** What a person did, before it becomes an event. */
export interface CaptureInput<K extends EventKindName = EventKindName> {
  readonly kind: K;
  readonly body: EventBody<K>;
  /** The offline id that `draft` minted when the form opened; minted now where absent. */
  readonly id?: string;
  /** The visit (its check-in's id); for the check-in itself leave it out: it names itself. */
  readonly visit?: string | null;
  /** The store's code, such as `S-0481`. */
  readonly store?: string | null;
  readonly place?: Place | null;
  /** Heads of the store master as the person saw it. */
  readonly storeHeads?: readonly string[];
}

/** `saved`: durable on this phone. `at-hq`: the relay holds it at `position`. `refused`: kept here, the relay cannot place it. */
export type FactState = "saved" | "sending" | "at-hq" | "refused";

export interface CapturedFact {
  readonly envelope: Envelope;
  readonly hash: string;
  readonly state: FactState;
  /** Term and position in the order log, once acknowledged. */
  readonly term: string | null;
  readonly position: number | null;
  /** RFC 3339 UTC: when it became durable here. */
  readonly savedAt: string;
}

/**
 * `body`: the body does not fit its kind. `visit`: the kind needs a visit and a store. `id`: the offline id was used for
 * another event. `storage`: the phone could not make it durable; nothing was saved and the form keeps its content.
 */
export type CaptureError =
  | { readonly code: "capture.body"; readonly detail: string }
  | { readonly code: "capture.visit"; readonly detail: string }
  | { readonly code: "capture.id"; readonly detail: string }
  | { readonly code: "capture.storage"; readonly detail: string };

/** This device's own facts: made durable in one commit, numbered, chained, kept until the relay holds them. */
export interface Facts {
  /**
   * Mints an offline id and makes it durable before the form is filled in, so that a kill between commit and screen
   * cannot make a second order. `form` names the form; the same open form gets the same id until it is captured.
   */
  draft(form: string): Promise<string>;
  /** Resolves when the event is durable here: only then may a screen say *saved*. `also` commits with it. */
  capture<K extends EventKindName>(
    input: CaptureInput<K>,
    also?: readonly StorageWrite[],
  ): Promise<Result<CapturedFact, CaptureError>>;
  /** Everything captured here and still kept, oldest first. */
  list(): readonly CapturedFact[];
  find(id: string): CapturedFact | undefined;
  /** Called after each capture and each change of state. The answer stops it. */
  onChange(listener: () => void): () => void;
}
