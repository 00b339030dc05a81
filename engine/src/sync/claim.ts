import { utf8ToBytes } from "../core/hash.ts";
import type { OwnEvents } from "../events/own-events.ts";
import type { Identity } from "../identity.ts";
import type { Attempts } from "../outbox/attempts.ts";
import type { DayMeter } from "../outbox/meter.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { StorageDamage } from "../storage/storage.ts";
import type { EvidenceKeeper } from "./evidence.ts";
import { limits, type Claim, type FeedCursor, type Tip, type Voided } from "../wire/index.ts";

/** What documents, photos and packs add to a claim. */
export interface OwedElsewhere {
  /** Ids of documents with changes that the relay does not hold. */
  readonly dirty: readonly string[];
  readonly cursor: FeedCursor | null;
  readonly pack: number | null;
  readonly photos: number;
  readonly photoBytes: number;
  readonly photosOwed: Claim["photosOwed"];
}

export interface ClaimSources {
  readonly identity: Pick<Identity, "workspace" | "device">;
  readonly app: string;
  readonly events: OwnEvents;
  readonly outbox: Outbox;
  readonly attempts: Attempts;
  readonly meter: DayMeter;
  readonly damage: readonly StorageDamage[];
  readonly elsewhere: () => OwedElsewhere;
  readonly evidence: EvidenceKeeper;
}

/** Terms whose highest acknowledgement is told. */
const MAX_ACKS = 100;

/** A place and a hash, and what it follows. */
export interface KnownEvent extends Tip {
  readonly prev: string | null;
}

/** Everything that is known to have existed, whether it can be read or not: events, and what is owed or receipted. */
export function knownEvents(events: OwnEvents, outbox: Outbox): Map<string, KnownEvent> {
  const known = new Map<string, KnownEvent>();
  for (const { run, seq, prev, hash } of [
    ...outbox.receipts(),
    ...outbox.owed().values(),
    ...events.unreadable(),
    ...events.all(),
  ])
    known.set(hash, { run, seq, prev, hash });
  return known;
}

/**
 * The ends of all chains, so that the relay knows what to expect; on each chain the last acknowledged event and what is
 * on its way, so that it does not give back what is here; and every event that is known of and cannot be read.
 */
export function claimTips(events: OwnEvents, outbox: Outbox, onTheWay: readonly string[]): Tip[] {
  const known = knownEvents(events, outbox);
  const followed = new Set([...known.values()].map(({ prev }) => prev));
  const tips = new Map<string, Tip>();
  const add = ({ run, seq, hash }: Tip) => tips.set(hash, { run, seq, hash });
  for (const event of known.values()) {
    if (events.byHash(event.hash) === undefined) add(event);
    if (followed.has(event.hash)) continue;
    add(event);
    let acknowledged: KnownEvent | undefined = event;
    while (acknowledged !== undefined && outbox.receipt(acknowledged.hash) === undefined)
      acknowledged = acknowledged.prev === null ? undefined : known.get(acknowledged.prev);
    if (acknowledged !== undefined) add(acknowledged);
  }
  for (const hash of onTheWay) {
    const event = known.get(hash);
    if (event !== undefined) add(event);
  }
  return [...tips.values()];
}

/**
 * What this device declares, as the bytes to sign, within `limits.claimBytes`. Where it would be larger, lists are cut
 * short (their counts are not): attempts first, then owed photos, then dirty documents; tips never. `lastAttempt` is the
 * number of the last attempt in it: tell the ring when the relay has answered.
 */
export function buildClaim(
  sources: ClaimSources,
  moment: {
    readonly at: string;
    readonly onTheWay: readonly string[];
    readonly attempts: number;
    readonly voided: readonly Voided[];
  },
): { readonly bytes: Uint8Array; readonly lastAttempt: number } {
  const { identity, app, events, outbox, attempts, meter, damage, evidence } = sources;
  const { voided } = moment;
  const elsewhere = sources.elsewhere();
  const told = attempts.untold(moment.attempts);
  const claim: Claim = {
    v: 1,
    workspace: identity.workspace,
    device: identity.device,
    at: moment.at,
    tips: claimTips(events, outbox, moment.onTheWay),
    damaged: events.damaged + damage.filter(({ reason }) => reason !== "unfinished").length,
    acks: outbox.terms().slice(-MAX_ACKS),
    evidence: evidence.shown(),
    ...(voided.length === 0 ? {} : { voided: [...voided] }),
    queue: {
      ...outbox.queue(),
      documents: elsewhere.dirty.length,
      photos: elsewhere.photos,
      photoBytes: elsewhere.photoBytes,
    },
    photosOwed: [...elsewhere.photosOwed],
    dirty: [...elsewhere.dirty],
    cursor: elsewhere.cursor,
    pack: elsewhere.pack,
    attempts: [...told],
    spent: meter.total(),
    app,
  };
  for (;;) {
    const bytes = utf8ToBytes(JSON.stringify(claim));
    const longest = (["attempts", "photosOwed", "dirty"] as const).find((list) => claim[list].length > 0);
    if (bytes.length <= limits.claimBytes || longest === undefined)
      return { bytes, lastAttempt: claim.attempts.at(-1)?.number ?? 0 };
    claim[longest].length = Math.floor(claim[longest].length / 2);
  }
}
