import { utcFromMs } from "../core/clock.ts";
import type { Crypto } from "../core/crypto.ts";
import { sha256Hex } from "../core/hash.ts";
import type { OwnFacts } from "../events/capture.ts";
import type { Notes } from "../outbox/notes.ts";
import type { Receipt } from "../outbox/outbox.ts";
import { claimMessage, type Refusal } from "../wire/index.ts";
import { buildClaim, knownEvents, type ClaimSources } from "./claim.ts";
import type { Contact } from "./contact.ts";
import { forgettable, toldNext, voidedFor, voidedReceipts } from "./custody.ts";
import type { Drain } from "./drain.ts";
import type { Holes } from "./holes.ts";
import type { NextClaim } from "./next-claim.ts";
import { coveredBy, owedEvents } from "./offer.ts";
import type { SyncPart, WireAnswers } from "./wire.ts";

/** The first claim goes ahead of the orders, so it takes few attempts along; the rest follows when the orders are safe. */
const ATTEMPTS_AT_CONTACT = 8;
const ATTEMPTS_AT_ONCE = 100;

export interface ClaimExchangeDeps extends ClaimSources {
  readonly secretKey: Uint8Array;
  readonly crypto: Crypto;
  readonly nowMs: () => number;
  readonly facts: OwnFacts;
  readonly notes: Notes;
  readonly drain: Drain;
  readonly holes: Holes;
  readonly nextClaim: NextClaim;
  readonly parts: readonly SyncPart[];
  /** The relay answered the latest claim; nothing of the answer is acted on yet. */
  readonly answered: (claimed: WireAnswers["claim"]) => void;
  /** The first claim of a contact was answered, and all that came with the answer is kept. */
  readonly joined: () => void;
  /** The relay does not take the claim. */
  readonly refused: (why: Refusal) => void;
  /** The relay's checkpoint was not believed. */
  readonly doubted: () => void;
  /** Everything in the answer was acted on. */
  readonly taken: () => void;
}

/** Tells the relay what this device holds and owes, and acts on what the relay says it holds and wants. */
export interface ClaimExchange {
  /** Claims, and resolves when the answer was acted on, or counts no more. Rejects where the storage does not take it. */
  exchange(over: Contact): Promise<void>;
}

export function createClaimExchange(deps: ClaimExchangeDeps): ClaimExchange {
  const { crypto, facts, events, outbox, attempts, notes, evidence, drain, holes, nextClaim, parts } = deps;
  let claims = 0;
  /** The contact on which facts travel. */
  let drained: Contact | null = null;
  /** Receipts of lost positions of which the relay was told, and those that the next claim tells. */
  const toldVoided = new Set<string>();
  let voided: readonly Receipt[] = [];

  const exchange = async (over: Contact): Promise<void> => {
    claims += 1;
    const mine = claims;
    nextClaim.begun();
    // What the relay is told must not be told anew, under another number, after a crash.
    await notes.flush();
    const telling = voided;
    const built = buildClaim(deps, {
      at: utcFromMs(deps.nowMs()),
      onTheWay: drain.onTheWay(),
      attempts: over.hasJoined() ? ATTEMPTS_AT_ONCE : ATTEMPTS_AT_CONTACT,
      voided: voidedFor(telling),
    });
    nextClaim.told();
    const { bytes } = built;
    const signature = await crypto.sign(claimMessage(sha256Hex(bytes)), deps.secretKey);
    if (over.isOver()) return;
    const answering = over.wire.request({ type: "claim", claim: bytes, signature });
    // What is owed for certain need not wait a round trip for the answer: the relay takes the claim first, and what
    // it was told before it answers with a duplicate.
    if (!over.hasJoined() && drained !== over) {
      drained = over;
      drain.start(over.wire);
      drain.offer(owedEvents(events, outbox));
    }
    const answer = await answering;
    if (over.isOver()) return;
    if (!answer.ok) {
      if (answer.error.code !== "lost") deps.refused(answer.error);
      return;
    }
    attempts.told(built.lastAttempt);
    for (const receipt of telling) toldVoided.add(nameOf(receipt));
    // Only the answer to the latest claim counts: an older one may not know what was said since.
    if (mine === claims) await take(over, answer.value);
  };

  const take = async (over: Contact, claimed: WireAnswers["claim"]): Promise<void> => {
    deps.answered(claimed);
    const checkpoint = await evidence.judge(claimed);
    if (!checkpoint.ok) noteDoubted(checkpoint.error);
    await facts.keep(claimed.give);
    if (over.isOver()) return;
    const known = knownEvents(events, outbox);
    const covered = coveredBy(claimed.tips, new Set(claimed.holes), (hash) => known.get(hash)?.prev);
    // Before anything gets a new place, the relay hears which places it lost: so it can say what nobody brought back.
    const lost = voidedReceipts(outbox, claimed, covered);
    voided = toldNext(lost.filter((receipt) => !toldVoided.has(nameOf(receipt))));
    if (voided.length > 0) return exchange(over);
    if (lost.length > 0) await facts.oweAgain(lost.map(({ hash }) => hash));
    if (over.isOver()) return;
    const checkpointSize = checkpoint.ok ? (checkpoint.value?.size ?? 0) : 0;
    await facts.forget(forgettable({ events, outbox }, { claimed, covered, checkpointSize }));
    if (over.isOver()) return;
    const wants = new Set(claimed.wants);
    const offered = events
      .all()
      .filter(({ hash }) => wants.has(hash) || !covered.has(hash) || outbox.receipt(hash) === undefined);
    const joins = !over.hasJoined();
    if (joins) {
      over.join();
      deps.joined();
    }
    drain.offerAnew(offered);
    for (const want of wants) if (events.byHash(want) === undefined) await holes.declare(want, over.wire);
    if (over.isOver()) return;
    if (joins) for (const part of parts) part.connected(over.wire, claimed);
    nextClaim.answered(over);
    deps.taken();
  };

  const noteDoubted = ({ code }: Refusal) => {
    attempts.note({
      at: utcFromMs(deps.nowMs()),
      lane: "link",
      item: "checkpoint",
      bytes: 0,
      outcome: "refused",
      code,
      tookMs: 0,
    });
    deps.doubted();
  };

  return { exchange };
}

const nameOf = ({ term, position, hash }: Receipt) => `${term}/${position}/${hash}`;
