import type { TrailNote } from "../trail/trail.ts";
import type { QuestionName } from "./questions.ts";

/** What the relay's process and the followers' thread say to each other. */
export type ToFollowers =
  /** Something was committed. */
  | { readonly type: "committed" }
  /** The devices with an open connection now, and since when: RFC 3339 UTC. */
  | { readonly type: "connected"; readonly since: ReadonlyMap<string, string> }
  | { readonly type: "ask"; readonly n: number; readonly name: QuestionName; readonly input: unknown }
  /** Trail rows up to this number are durable. */
  | { readonly type: "noted"; readonly number: number }
  /** The rows could not be written now; they are sent again later. */
  | { readonly type: "not-noted" };

export type FromFollowers =
  | { readonly type: "ready" }
  /** The followers' file could not be read and is made again. */
  | { readonly type: "damaged"; readonly reason: string }
  | { readonly type: "changed"; readonly topics: readonly string[] }
  /** Rows for the trail; nothing more is sent before the answer. */
  | { readonly type: "note"; readonly number: number; readonly rows: readonly TrailNote[] }
  | { readonly type: "answer"; readonly n: number; readonly value: unknown }
  | { readonly type: "unanswered"; readonly n: number; readonly reason: string };

export interface FollowersData {
  readonly dataDir: string;
  readonly workspace: string;
  readonly zone: string;
  /** How long a connection can stay open after its last byte. */
  readonly longestSilenceMs: number;
}
