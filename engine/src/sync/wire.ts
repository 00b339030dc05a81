import type { Result } from "../core/result.ts";
import type { PhoneMessage, Refusal, RelayMessage } from "../wire/index.ts";

/** Requests of the phone that are answered, by type, without the number that the wire adds. */
export type WireRequest = DistributiveOmit<Extract<PhoneMessage, { n: number }>, "n">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export interface WireAnswers {
  claim: Extract<RelayMessage, { type: "claimed" }>;
  append: Extract<RelayMessage, { type: "appended" }>;
  hole: Extract<RelayMessage, { type: "holed" }>;
  push: Extract<RelayMessage, { type: "pushed" }>;
  feed: Extract<RelayMessage, { type: "changes" }>;
  heads: Extract<RelayMessage, { type: "repair" }>;
}

/** `lost`: the connection ended before an answer came; nobody knows whether the relay did it. */
export type WireFailure = { readonly code: "lost" } | Refusal;

/**
 * One authenticated connection, as the rooms of sync see it. It lives from `connected` to `lost`; after that every
 * request answers `lost` and nothing is sent.
 */
export interface Wire {
  request<R extends WireRequest>(message: R): Promise<Result<WireAnswers[R["type"]], WireFailure>>;
  /** Sends one frame of a request in several frames (a push in pieces): all share the number `begin` gives. */
  begin(): number;
  sendPiece(n: number, message: Extract<WireRequest, { type: "push" }>): void;
  /** Waits for the answer to the pieces sent under `n`. */
  answer(n: number): Promise<Result<WireAnswers["push"], WireFailure>>;
  /** Sends what is not answered: `fed`, `presence`. */
  send(message: Extract<PhoneMessage, { type: "fed" | "presence" }>): void;
  /** What came cannot be read: ends the connection, so that the next one goes on from what is durable. */
  giveUp(): void;
}

/**
 * What takes part in a contact beside facts: documents, presence, packs. The session calls it in this order:
 * `connected` after the claim was answered, `receive` for each frame that answers no request, `lost` once.
 */
export interface SyncPart {
  readonly name: string;
  connected(wire: Wire, claimed: WireAnswers["claim"]): void;
  receive(message: RelayMessage): void;
  lost(): void;
}
