import type { DatabaseSync } from "node:sqlite";
import type { Debt } from "../debts.ts";
import type { Masters } from "../masters.ts";
import type { FollowerStatus } from "../runner.ts";

/** PORT. One thing that somebody should be told of. It looks at the world as it is now and keeps nothing. */
export interface Watch {
  /** Stands in alerts, in the trail and on screens. */
  readonly name: string;
  /** Every condition that holds now, one for each subject. */
  look(world: WatchWorld): readonly Condition[];
}

export interface WatchWorld {
  readonly db: DatabaseSync;
  readonly relay: DatabaseSync;
  readonly masters: Masters;
  readonly debts: readonly Debt[];
  /** Devices with an open connection now, and since when: RFC 3339 UTC. */
  readonly connected: ReadonlyMap<string, string>;
  readonly followers: readonly FollowerStatus[];
  /** Room on the disk that holds the relay's data, in bytes; null where nobody can tell. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
  readonly nowMs: number;
  /** The workspace's IANA zone. */
  readonly zone: string;
}

export interface Condition {
  /** What it is about: a person's code, a device, a follower, a refusal's code. */
  readonly subject: string;
  /** The person whose territories decide who may see it; null: HQ alone. */
  readonly rep: string | null;
  /** A sentence for a person. A question rather than a verdict. */
  readonly reason: string;
  /** What the sentence rests on. */
  readonly evidence: Readonly<Record<string, unknown>>;
}
