import { z } from "zod";

/** Packs in one decision: each can be megabytes long, and they are in memory together. */
export const PACKS_AT_ONCE = 8;

/** Events in one decision: small enough that the writer is not kept for long. */
export const EVENTS_AT_ONCE = 5_000;

/**
 * A decision that bytes are kept no longer. Its UTF-8 JSON is signed by the workspace's root key as `sampai.expiry.v1`
 * and stands in the order log as a leaf of type `expiry`; its position is the decision's number. Hash, leaf, chain and
 * proofs of what it names stay as they were.
 */
export const expiryDecisionSchema = z.strictObject({
  v: z.literal(1),
  workspace: z.string(),
  /** Who decided, and why, in their own words. */
  by: z.string().max(60),
  reason: z.string().min(1).max(500),
  /** What it was about: everything of a person, or everything received before a day. */
  about: z.union([z.strictObject({ person: z.string() }), z.strictObject({ before: z.iso.date() })]),
  /** Positions of events whose bytes are removed, ascending. */
  events: z.array(z.int().min(0)).max(EVENTS_AT_ONCE),
  /** Offline ids of photos whose originals and previews are removed. */
  photos: z.array(z.string().max(60)).max(EVENTS_AT_ONCE),
  /** Packs that a forgotten person was taken out of: the SHA-256 that each had, and has. Absent where there is none. */
  packs: z
    .array(z.strictObject({ number: z.int().min(1), was: z.hash("sha256"), is: z.hash("sha256") }))
    .max(PACKS_AT_ONCE)
    .optional(),
  /** What came and has no place in the log (waiting, or in quarantine), removed too. */
  unplaced: z.int().min(0),
});
export type ExpiryDecision = z.infer<typeof expiryDecisionSchema>;

/** The one way to write a decision, so that it can be compared and verified by its bytes. */
export function decisionText(decision: ExpiryDecision): string {
  const { v, workspace, by, reason, about, events, photos, packs, unplaced } = decision;
  return JSON.stringify({ v, workspace, by, reason, about, events, photos, packs, unplaced });
}
