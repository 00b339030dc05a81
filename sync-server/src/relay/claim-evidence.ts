import { termOfOrigin, verifierOf, type Checkpoint } from "@sampai/engine/proof";
import type { Claim } from "@sampai/engine/wire";
import { LRUCache } from "lru-cache";
import type { Evidence } from "../order-log/evidence.ts";
import { readCheckpoint } from "../proof/checkpoint.ts";
import type { Workspace } from "../workspace.ts";
import type { Promises } from "./promises.ts";

export interface HeldCheckpoint extends Checkpoint {
  readonly term: string;
}

/** Reads what a claim proves of our log. What does not verify as ours proves nothing and is passed over. */
export interface EvidenceReader {
  read(claim: Claim): { readonly evidence: readonly Evidence[]; readonly checkpoints: readonly HeldCheckpoint[] };
}

/** A fleet holds a few checkpoints between all its phones: each is verified once. */
const REMEMBERED = 2_000;

export function createEvidenceReader(workspace: Workspace, promises: Promises): EvidenceReader {
  const verifier = verifierOf(workspace);
  const seen = new LRUCache<string, { readonly checkpoint: HeldCheckpoint | null }>({ max: REMEMBERED });
  const checkpointOf = (note: string): HeldCheckpoint | null => {
    const known = seen.get(note);
    if (known !== undefined) return known.checkpoint;
    const read = readCheckpoint(note, verifier);
    const term = read.ok ? termOfOrigin(read.value.origin, workspace.id) : null;
    const checkpoint = read.ok && term !== null && read.value.size > 0 ? { ...read.value, term } : null;
    seen.set(note, { checkpoint });
    return checkpoint;
  };
  return {
    read: ({ evidence }) => {
      const checkpoints = (evidence?.checkpoints ?? []).flatMap((note) => checkpointOf(note) ?? []);
      const promised = (evidence?.promises ?? []).filter((promise) => promises.isOurs(promise));
      return {
        checkpoints,
        evidence: [
          // Promises first: they say best where the logs parted.
          ...promised.map(({ term, size, start }) => ({ kind: "promise" as const, term, size, start })),
          ...checkpoints.map(({ term, size, root }) => ({ kind: "checkpoint" as const, term, size, root })),
        ],
      };
    },
  };
}
