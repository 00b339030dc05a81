import { unreachable } from "../core/assert.ts";
import { utcFromMs, type Clock } from "../core/clock.ts";
import type { Crypto } from "../core/crypto.ts";
import type { OwnFacts } from "../events/capture.ts";
import type { OwnEvent, OwnEvents } from "../events/own-events.ts";
import type { Attempts } from "../outbox/attempts.ts";
import type { Lanes } from "../outbox/lanes.ts";
import type { Notes } from "../outbox/notes.ts";
import type { Outbox, Receipt } from "../outbox/outbox.ts";
import { batchMessage, limits, refusals, type AppendItem, type Refusal } from "../wire/index.ts";
import { nextBatch, parentsFirst } from "./offer.ts";
import type { EvidenceKeeper } from "./evidence.ts";
import type { Wire, WireAnswers } from "./wire.ts";

/** Two batches under way: while one is answered, the other travels. */
const BATCHES_IN_FLIGHT = 2;
const BUSY_RETRY_MS = 2_000;
/** A batch that is lost after so long was too large for its link. */
const TOO_SLOW_MS = 4_000;

/** Sends facts over a connection until everything offered is answered. */
export interface Drain {
  start(wire: Wire): void;
  /** The connection is gone; what was not answered is offered again after the next claim. */
  stop(): void;
  /** Events to send. What is queued, under way or held back by the relay is left alone. */
  offer(events: readonly OwnEvent[]): void;
  /** The same after a claim was answered: what was held back until now is asked about again. */
  offerAnew(events: readonly OwnEvent[]): void;
  /** The relay holds (or has written off) this event now: what was held because of it is offered again. */
  settled(hash: string): void;
  /** Last events of batches that were sent and not answered, also on earlier connections of this start. */
  onTheWay(): readonly string[];
  isBusy(): boolean;
}

export interface DrainDeps {
  readonly identity: { readonly workspace: string; readonly device: string };
  readonly secretKey: Uint8Array;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly nowMs: () => number;
  readonly events: OwnEvents;
  readonly facts: Pick<OwnFacts, "endRun">;
  readonly outbox: Outbox;
  readonly attempts: Attempts;
  readonly notes: Notes;
  readonly lanes: Lanes;
  readonly evidence: EvidenceKeeper;
  /** The relay wants an event that this device does not hold. */
  readonly wanted: (hash: string) => void;
  /** Something offered was answered. */
  readonly answered: () => void;
  /** A durable note could not be made: the disk is full or broken. */
  readonly failed: (error: unknown) => void;
}

export function createDrain(deps: DrainDeps): Drain {
  const { identity, crypto, clock, events, facts, outbox, attempts, notes, lanes, evidence } = deps;
  let wire: Wire | null = null;
  let queue: OwnEvent[] = [];
  const inFlight = new Set<string>();
  const lastSent = new Set<string>();
  /** Events that the relay holds back, by what it wants first. */
  const heldOn = new Map<string, Set<string>>();
  /** Events that are sent one by one, because a batch with them was refused. */
  const alone = new Set<string>();
  /** Refused for good on this connection. */
  const refusedNow = new Set<string>();
  let batches = 0;
  let pumping = false;
  let cancelPause: (() => void) | null = null;
  // Batches are halved when a connection is lost with one long under way, and grow again when one is answered: so that
  // even the slowest link that breaks all the time gets something through.
  let shrink = 1;

  const isHeld = (hash: string) => [...heldOn.values()].some((held) => held.has(hash));
  const tellLanes = () => lanes.waiting("facts", wire !== null && cancelPause === null && queue.length > 0);
  const pump = () => {
    run().catch(deps.failed);
  };

  /** The connection, while there is something to send on it and room for a batch. */
  const readyWire = () => (cancelPause === null && batches < BATCHES_IN_FLIGHT && queue.length > 0 ? wire : null);

  const run = async () => {
    if (pumping) return;
    pumping = true;
    try {
      for (let over = readyWire(); over !== null; over = readyWire()) await sendNext(over);
    } finally {
      pumping = false;
      tellLanes();
    }
  };

  const sendNext = async (over: Wire) => {
    const first = queue[0] as OwnEvent;
    const size = alone.has(first.hash)
      ? { events: 1, bytes: limits.batchBytes }
      : {
          events: Math.max(1, Math.floor(limits.batchEvents / shrink)),
          bytes: Math.max(1, Math.floor(limits.batchBytes / shrink)),
        };
    const planned = nextBatch(queue, size);
    const batch: OwnEvent[] = [];
    const items: AppendItem[] = [];
    for (const event of planned) {
      const bytes = await events.bytesOf(event);
      if (bytes === null) break;
      batch.push(event);
      items.push({ seq: event.seq, prev: event.prev, bytes });
    }
    // What cannot be read leaves the queue: the relay will want it and be told that there is a hole.
    const read = new Set(batch);
    queue = queue.filter((event) => !read.has(event) && events.byHash(event.hash) !== undefined);
    const last = batch.at(-1);
    if (last === undefined) return;
    const { run: runId, seq, prev, hash } = last;
    const hashes = batch.map((event) => event.hash);
    for (const one of hashes) inFlight.add(one);
    const signature = await crypto.sign(batchMessage({ ...identity, run: runId, seq, prev, hash }), deps.secretKey);
    if (wire !== over) {
      for (const one of hashes) inFlight.delete(one);
      return;
    }
    lastSent.add(hash);
    batches += 1;
    const release = await lanes.enter("facts");
    outbox.sending(hashes, true);
    const sentMs = clock.tickMs();
    const sentAt = utcFromMs(deps.nowMs());
    void over
      .request({ type: "append", run: runId, events: items, signature })
      .then(async (result) => {
        const attempt = {
          at: sentAt,
          lane: "facts" as const,
          run: runId,
          from: batch[0]?.seq ?? seq,
          to: seq,
          bytes: items.reduce((sum, { bytes }) => sum + bytes.length, 0),
          tookMs: Math.round(clock.tickMs() - sentMs),
        };
        batches -= 1;
        // An answered event stays under way until its receipt is durable: nothing may send it again meanwhile.
        if (!result.ok) for (const one of hashes) inFlight.delete(one);
        if (result.ok) {
          lastSent.delete(hash);
          shrink = Math.max(1, shrink / 2);
          const refused = result.value.answers.find(({ answer }) => answer === "quarantined");
          attempts.note({
            ...attempt,
            outcome: refused === undefined ? "acknowledged" : "refused",
            ...(refused?.answer === "quarantined" ? { code: refused.code } : {}),
          });
          await take(result.value, batch);
        } else if (result.error.code === "lost") {
          attempts.note({ ...attempt, outcome: "lost" });
          if (attempt.tookMs >= TOO_SLOW_MS) shrink = Math.min(limits.batchEvents, shrink * 2);
        } else {
          lastSent.delete(hash);
          attempts.note({ ...attempt, outcome: "refused", code: result.error.code });
          await refuse(result.error, batch, over);
        }
      })
      .finally(() => {
        for (const one of hashes) inFlight.delete(one);
        outbox.sending(hashes, false);
        release();
        tellLanes();
        pump();
        deps.answered();
      })
      .catch(deps.failed);
  };

  /** What the relay says of each event. Only placed, duplicate and branch acknowledge. */
  const take = async (appended: WireAnswers["append"], batch: readonly OwnEvent[]) => {
    const sent = new Map(batch.map((event) => [event.hash, event]));
    const receipts: Receipt[] = [];
    const at = utcFromMs(deps.nowMs());
    for (const admission of appended.answers) {
      const event = sent.get(admission.hash);
      if (event === undefined) continue;
      switch (admission.answer) {
        case "placed":
        case "duplicate":
        case "branch": {
          const { run, seq, prev, hash } = event;
          receipts.push({
            run,
            seq,
            prev,
            hash,
            term: admission.term ?? appended.term,
            position: admission.position,
            at,
          });
          if (admission.answer === "branch") facts.endRun(run);
          break;
        }
        case "held": {
          const waiting = heldOn.get(admission.want) ?? new Set();
          heldOn.set(admission.want, waiting.add(event.hash));
          break;
        }
        case "quarantined":
          refusedNow.add(event.hash);
          await outbox.refuse(event.hash, admission.code);
          break;
        default:
          unreachable(admission);
      }
    }
    if (receipts.length > 0) {
      await outbox.acknowledge(receipts, [...evidence.promised(appended.promise), ...notes.take()]);
    }
    for (const { hash } of batch) {
      inFlight.delete(hash);
      // An event that the answer passes over is asked about again at the next contact, not in a circle.
      if (!appended.answers.some((admission) => admission.hash === hash)) refusedNow.add(hash);
    }
    for (const { hash } of receipts) settled(hash);
    for (const want of heldOn.keys()) {
      const event = events.byHash(want);
      if (event === undefined) deps.wanted(want);
      else if (!isHeld(want)) enqueue(withAncestors(event));
    }
  };

  /** The event and what it follows, back to what the relay has acknowledged. */
  const withAncestors = (event: OwnEvent): OwnEvent[] => {
    const chain: OwnEvent[] = [event];
    for (let prev = event.prev; prev !== null;) {
      const before = events.byHash(prev);
      if (before === undefined || outbox.receipt(prev) !== undefined) break;
      chain.push(before);
      prev = before.prev;
    }
    return chain;
  };

  const refuse = async (refusal: Refusal, batch: readonly OwnEvent[], over: Wire) => {
    if (refusals[refusal.code].retry) {
      enqueue(batch);
      cancelPause?.();
      cancelPause = clock.after(refusal.retryAfterMs ?? BUSY_RETRY_MS, () => {
        cancelPause = null;
        if (wire === over) pump();
      });
      return;
    }
    // One of them is the reason. Sent one by one, only that one is refused; the ones behind it are not kept waiting.
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      refusedNow.add(only.hash);
      await outbox.refuse(only.hash, refusal.code);
      return;
    }
    for (const { hash } of batch) alone.add(hash);
    enqueue(batch);
  };

  const enqueue = (offered: readonly OwnEvent[]) => {
    const queued = new Set(queue.map(({ hash }) => hash));
    const fresh = offered.filter(
      ({ hash }) => !queued.has(hash) && !inFlight.has(hash) && !refusedNow.has(hash) && !isHeld(hash),
    );
    if (fresh.length === 0) return;
    queue = parentsFirst([...queue, ...fresh]);
    tellLanes();
    pump();
  };

  const settled = (hash: string) => {
    const waiting = heldOn.get(hash);
    if (waiting === undefined) return;
    heldOn.delete(hash);
    enqueue([...waiting].flatMap((held) => events.byHash(held) ?? []));
  };

  return {
    start: (over) => {
      wire = over;
      refusedNow.clear();
      alone.clear();
      heldOn.clear();
      tellLanes();
      pump();
    },
    stop: () => {
      wire = null;
      queue = [];
      cancelPause?.();
      cancelPause = null;
      tellLanes();
    },
    offer: enqueue,
    offerAnew: (offered) => {
      heldOn.clear();
      enqueue(offered);
    },
    settled,
    onTheWay: () => {
      for (const hash of lastSent) if (outbox.receipt(hash) !== undefined) lastSent.delete(hash);
      return [...lastSent];
    },
    isBusy: () => queue.length > 0 || batches > 0,
  };
}
