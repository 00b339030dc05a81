import { msFromUtc } from "../core/clock.ts";
import type { OwnEvent, OwnEvents } from "../events/own-events.ts";
import type { Outbox, Receipt } from "../outbox/outbox.ts";
import type { ClaimedMessage, Voided } from "../wire/index.ts";

// What this device keeps of its own after HQ has it, and when it may let go.

/** What was acknowledged stays here for so long, whatever the relay says of backups. */
const KEEP_MS = 30 * 86_400_000;
/** Events let go in answer to one claim. */
const AT_ONCE = 200;
/** Receipts told in one claim. */
const VOIDED_AT_ONCE = 500;

/** Where each term of the relay's log ends; a term that is not here kept nothing. */
export function endsOf(terms: ClaimedMessage["terms"]): ReadonlyMap<string, number> {
  return new Map((terms ?? []).map(({ term, end }) => [term, end ?? Number.POSITIVE_INFINITY]));
}

/**
 * Receipts of terms that ended, for events that the relay's own tips do not cover, or at positions that their term did
 * not keep: the promise stands, the place is lost.
 */
export function voidedReceipts(
  outbox: Outbox,
  claimed: Pick<ClaimedMessage, "term" | "terms">,
  covered: ReadonlySet<string>,
): readonly Receipt[] {
  if (claimed.terms === undefined) return [];
  const ends = endsOf(claimed.terms);
  return [...outbox.receipts()].filter(
    ({ term, position, hash }) => term !== claimed.term && (!covered.has(hash) || position >= (ends.get(term) ?? 0)),
  );
}

/** As many of them as one claim takes. */
export function toldNext(receipts: readonly Receipt[]): readonly Receipt[] {
  return receipts.slice(0, VOIDED_AT_ONCE);
}

export function voidedFor(receipts: readonly Receipt[]): Voided[] {
  return [...Map.groupBy(receipts, ({ term }) => term)].map(([term, events]) => ({
    term,
    events: events.map(({ position, hash }) => [position, hash]),
  }));
}

/**
 * Events that this device may forget, in answer to a fresh claim: the relay holds them by its own tips, a checkpoint
 * verified here covers them, a verified backup too, and they were acknowledged thirty days ago. Never the end of a
 * chain: the next run follows it, and the claim names it.
 */
export function forgettable(
  { events, outbox }: { readonly events: OwnEvents; readonly outbox: Outbox },
  answer: {
    readonly claimed: ClaimedMessage;
    readonly covered: ReadonlySet<string>;
    /** Leaves under the checkpoint that came with this answer. */
    readonly checkpointSize: number;
  },
): readonly OwnEvent[] {
  const { claimed, covered, checkpointSize } = answer;
  const { backup } = claimed;
  if (backup === null || backup === undefined) return [];
  const ends = endsOf(claimed.terms);
  const beforeMs = msFromUtc(claimed.at) - KEEP_MS;
  const followed = new Set(events.all().map(({ prev }) => prev));
  const last = events.lastReadable();
  return events
    .all()
    .filter((event) => {
      const receipt = outbox.receipt(event.hash);
      if (receipt === undefined || event === last || !followed.has(event.hash)) return false;
      const { term, position, at } = receipt;
      if (!covered.has(event.hash) || outbox.owed().has(event.hash) || msFromUtc(at) > beforeMs) return false;
      if (position >= checkpointSize || position >= backup.position) return false;
      return term === backup.term || position < (ends.get(term) ?? 0);
    })
    .slice(0, AT_ONCE);
}
