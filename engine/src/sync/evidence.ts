import { z } from "zod";
import type { Crypto } from "../core/crypto.ts";
import { utf8ToBytes } from "../core/hash.ts";
import { err, ok, type Result } from "../core/result.ts";
import {
  isConsistent,
  readCheckpointText,
  splitNote,
  termOfOrigin,
  verifierOf,
  type Checkpoint,
} from "../proof/index.ts";
import type { Storage, StorageWrite } from "../storage/storage.ts";
import {
  decodeFrame,
  encodeFrame,
  EVIDENCE_TERMS,
  promiseSchema,
  type Claim,
  type ClaimedMessage,
  type LogPromise,
  type Refusal,
} from "../wire/index.ts";
import { endsOf } from "./custody.ts";

/** A checkpoint whose signature and consistency were verified here. */
const keptSchema = z.strictObject({ term: z.string(), size: z.int(), note: z.string(), at: z.string() });

/** Where the relay's log stands by its newest checkpoint that this device has verified. */
export interface CheckpointStanding {
  readonly term: string;
  readonly size: number;
  /** RFC 3339 UTC at the relay. */
  readonly at: string;
}

/** What this device holds against the relay: the highest checkpoint and the highest promise of each term. */
export interface EvidenceKeeper {
  /** For the claim. */
  shown(): NonNullable<Claim["evidence"]>;
  /** The writes that keep a promise; they belong into the commit of the receipts that came with it. */
  promised(promise: LogPromise | undefined): StorageWrite[];
  /**
   * Verifies the checkpoint in the answer to a claim and that it goes on from what is kept; then it is durable. Answers
   * null where the relay shows none that says anything new, a refusal where it must not be believed.
   */
  judge(claimed: ClaimedMessage): Promise<Result<Checkpoint | null, Refusal>>;
  /** Null before the first checkpoint. */
  standing(): CheckpointStanding | null;
  /** Why the relay's last checkpoint was not believed; null where it was. */
  refusal(): Refusal | null;
}

const CHECKPOINTS = "proof/checkpoints";
const PROMISES = "proof/promises";

export async function openEvidence(deps: {
  readonly storage: Storage;
  readonly crypto: Crypto;
  readonly identity: { readonly workspace: string; readonly rootKey: string };
}): Promise<EvidenceKeeper> {
  const { storage, crypto, identity } = deps;
  const verifier = verifierOf({ id: identity.workspace, rootKey: identity.rootKey });
  let kept = (await readList(storage, CHECKPOINTS, keptSchema)).filter(({ note }) => textOf(note) !== null);
  let promises = await readList(storage, PROMISES, promiseSchema);
  let refused: Refusal | null = null;

  const read = async (note: string): Promise<Result<Checkpoint & { term: string }, Refusal>> => {
    const split = splitNote(note, verifier);
    if (!split.ok) return err({ code: "checkpoint.unsigned", detail: split.error.detail });
    const { text, signature } = split.value;
    if (!(await crypto.verify(signature, utf8ToBytes(text), verifier.publicKey))) {
      return err({ code: "checkpoint.unsigned", detail: "the signature does not verify" });
    }
    const checkpoint = readCheckpointText(text);
    const term = checkpoint.ok ? termOfOrigin(checkpoint.value.origin, identity.workspace) : null;
    if (!checkpoint.ok || term === null) return err({ code: "checkpoint.unsigned", detail: "of another log" });
    return ok({ ...checkpoint.value, term });
  };

  /** The highest of the kept ones that the relay's own terms say it still holds. */
  const before = (claimed: ClaimedMessage): (Checkpoint & { term: string }) | null => {
    const ends = endsOf(claimed.terms);
    const standing = kept.filter(({ term, size }) => size <= (ends.get(term) ?? 0));
    const highest = standing.sort((a, b) => b.size - a.size)[0];
    const checkpoint = highest === undefined ? null : textOf(highest.note);
    return highest === undefined || checkpoint === null ? null : { ...checkpoint, term: highest.term };
  };

  const judge = async (claimed: ClaimedMessage): Promise<Result<Checkpoint | null, Refusal>> => {
    const shown = claimed.checkpoint;
    if (shown === undefined) return ok(null);
    const checkpoint = await read(shown.note);
    if (!checkpoint.ok) return checkpoint;
    const { term, size } = checkpoint.value;
    // Of a term that ended: the one over the new term follows within a second.
    if (term !== claimed.term) return ok(null);
    const first = before(claimed);
    if (first !== null) {
      const { from, consistency } = shown;
      const isSame = from !== null && from.term === first.term && from.size === first.size;
      if (size < first.size) return inconsistent(`it ends at ${size}, and ${first.size} was signed before`);
      if (!isSame) return inconsistent(`no proof goes on from ${first.size}`);
      if (!isConsistent(first, checkpoint.value, consistency)) return inconsistent(`not the log of size ${first.size}`);
    }
    if (size > (kept.find((one) => one.term === term)?.size ?? 0)) {
      const fresh = { term, size, note: shown.note, at: claimed.at };
      const next = newestTerms([...kept.filter((one) => one.term !== term), fresh]);
      await storage.commit([{ key: CHECKPOINTS, value: encodeFrame(next) }]);
      kept = next;
    }
    return checkpoint;
  };

  return {
    shown: () => ({ checkpoints: kept.map(({ note }) => note), promises: [...promises] }),
    promised: (promise) => {
      if (promise === undefined) return [];
      const known = promises.find(({ term }) => term === promise.term);
      if (known !== undefined && known.size >= promise.size) return [];
      promises = newestTerms([...promises.filter(({ term }) => term !== promise.term), promise]);
      return [{ key: PROMISES, value: encodeFrame(promises) }];
    },
    judge: async (claimed) => {
      const verdict = await judge(claimed);
      refused = verdict.ok ? null : verdict.error;
      return verdict;
    },
    standing: () => {
      const newest = newestTerms(kept).at(-1);
      return newest === undefined ? null : { term: newest.term, size: newest.size, at: newest.at };
    },
    refusal: () => refused,
  };
}

function inconsistent(detail: string): Result<never, Refusal> {
  return err({ code: "checkpoint.inconsistent", detail });
}

/** A note's checkpoint, without looking at the signature: it was verified before it was kept. */
function textOf(note: string): Checkpoint | null {
  const read = readCheckpointText(note);
  return read.ok ? read.value : null;
}

/** By the number of the term, oldest first. */
function newestTerms<T extends { readonly term: string }>(list: readonly T[]): T[] {
  const numberOf = ({ term }: T) => Number(term.split(":")[0]) || 0;
  return [...list].sort((a, b) => numberOf(a) - numberOf(b)).slice(-EVIDENCE_TERMS);
}

async function readList<S extends z.ZodType>(storage: Storage, key: string, schema: S): Promise<z.infer<S>[]> {
  const stored = await storage.get(key);
  const list = stored === undefined ? undefined : decodeFrame(z.array(schema), stored);
  // What cannot be read any more is learnt anew from the relay.
  return list?.ok === true ? list.value : [];
}
