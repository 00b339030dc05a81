import type { LogPromise } from "@sampai/engine/wire";
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Workspace } from "../workspace.ts";

/** How far the log is on disk now. */
export interface LogStanding {
  readonly term: string;
  /** Nonce of the start in which this is. */
  readonly start: string;
  readonly log: number;
}

/** What goes with every acknowledgement, so that a relay that lost it can be shown so. */
export interface Promises {
  of(standing: LogStanding): LogPromise;
  /** Whether this workspace's relay made it. */
  isOurs(promise: LogPromise): boolean;
}

/** A keyed hash and not a signature: only the relay must know it again, and it is made for every commit. */
export function createPromises(workspace: Workspace): Promises {
  const key = workspace.derive("sampai.promise.v1");
  const macOf = ({ term, start, size }: Omit<LogPromise, "mac">) =>
    createHmac("sha256", key).update([workspace.id, term, start, size].join("\n")).digest();
  let last: LogPromise | null = null;
  return {
    of: ({ term, start, log: size }) => {
      if (last === null || last.size !== size || last.term !== term || last.start !== start) {
        last = { term, start, size, mac: macOf({ term, start, size }).toString("hex") };
      }
      return last;
    },
    isOurs: (promise) => timingSafeEqual(macOf(promise), Buffer.from(promise.mac, "hex")),
  };
}
