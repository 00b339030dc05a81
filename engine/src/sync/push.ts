import type { Clock } from "../core/clock.ts";
import { bestMs, utcFromMs } from "../core/clock.ts";
import { concatBytes } from "../core/hash.ts";
import type { DocumentStore, RelayState, UnsentChange } from "../documents/document-store.ts";
import type { Lanes } from "../outbox/lanes.ts";
import { limits, refusals, type Attempt, type Refusal } from "../wire/index.ts";
import type { Wire, WireFailure } from "./wire.ts";

/** Documents whose push or repair is in flight at once: enough to fill a round trip of 200 ms at 400 kbit/s. */
const IN_FLIGHT = 6;
/** How long a document rests after an answer that promised no better luck at once. */
const REST_MS = 5_000;
/** Repairs of one document in a row before it rests: a relay that keeps lacking what it says it has is not argued with. */
const REPAIRS_IN_A_ROW = 3;

export interface PushDeps {
  readonly documents: DocumentStore;
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly attempted: (attempt: Omit<Attempt, "number">) => void;
  /**
   * Resolves when what the feed brought before now is durable. An answer is acted on only then: a document that left
   * and came back meanwhile is here again, and must not be dropped as one that left with its last edit stored.
   */
  readonly feedSettled: () => Promise<void>;
  /** Called whenever a document was dealt with. */
  readonly progressed: () => void;
}

export interface Push {
  start(wire: Wire): void;
  stop(): void;
  /** Looks for unsent and doubted documents. */
  wake(): void;
  /** Whether anything is unsent, doubted or in flight. */
  busy(): boolean;
}

/**
 * Sends what is unsent and repairs what is doubted, one request in flight per document: edits made meanwhile go with
 * the next push. Nothing is forgotten before the relay's answer says that it is durable there.
 */
export function createPush({ documents, lanes, clock, attempted, progressed, feedSettled }: PushDeps): Push {
  let wire: Wire | null = null;
  const inFlight = new Set<string>();
  /** Those of them that are not on the link yet. */
  const unsent = new Set<string>();
  const resting = new Map<string, () => void>();
  const repairs = new Map<string, number>();

  function next(): string | undefined {
    const free = (doc: string) => !inFlight.has(doc) && !resting.has(doc);
    return documents.doubted().find(free) ?? documents.dirty().find(free);
  }

  const debt = () => documents.dirty().length > 0 || documents.doubted().length > 0;

  /** Only what is still to be sent keeps photos waiting, not what waits for its answer. */
  function tellLanes() {
    lanes.waiting("documents", wire !== null && (unsent.size > 0 || next() !== undefined));
  }

  function sent(doc: string) {
    unsent.delete(doc);
    tellLanes();
  }

  function wake() {
    const now = wire;
    if (now === null) return;
    for (let doc = next(); doc !== undefined && inFlight.size < IN_FLIGHT; doc = next()) {
      const mine = doc;
      inFlight.add(mine);
      unsent.add(mine);
      tellLanes();
      const work = documents.doubted().includes(mine) ? repair(now, mine) : push(now, mine);
      void work.finally(() => {
        inFlight.delete(mine);
        sent(mine);
        progressed();
        if (wire === now) wake();
      });
    }
  }

  function rest(doc: string, delayMs: number) {
    if (wire === null) return;
    resting.get(doc)?.();
    const cancel = clock.after(delayMs, () => {
      resting.delete(doc);
      wake();
    });
    resting.set(doc, cancel);
  }

  async function push(wire: Wire, doc: string): Promise<void> {
    const named = documents.identify(doc);
    const batch = firstPush(documents.unsent(doc));
    if (named === undefined || batch.length === 0) return;
    const bytes = concatBytes(...batch.map((change) => change.bytes));
    const startedAt = clock.tickMs();
    const n = wire.begin();
    const answered = wire.answer(n);
    let release: (() => void) | null = null;
    for (let at = 0; at < bytes.length; at += limits.pieceBytes) {
      release?.();
      release = await lanes.enter("documents");
      if (wire !== currentWire()) {
        release();
        return;
      }
      const piece = bytes.slice(at, at + limits.pieceBytes);
      const more = at + limits.pieceBytes < bytes.length;
      wire.sendPiece(n, { type: "push", doc, kind: named.kind, key: named.key, piece, more });
    }
    sent(doc);
    const answer = await answered;
    release?.();
    const refused = answer.ok ? answer.value.refused[0] : undefined;
    attempted({
      at: utcFromMs(bestMs(clock, null)),
      lane: "documents",
      item: doc,
      bytes: bytes.length,
      tookMs: clock.tickMs() - startedAt,
      ...outcomeOf(answer.ok ? refused?.code : answer.error.code),
    });
    const hashes = batch.flatMap((change) => change.hashes);
    if (!answer.ok) return pushFailed(wire, doc, hashes, answer.error);
    if (answer.value.refused.length > 0) {
      const refusals = new Map(answer.value.refused.map(({ hash, code, detail }) => [hash, refusal(code, detail)]));
      return backToRelay(wire, doc, refusals);
    }
    if (answer.value.missing.length > 0) return repair(wire, doc);
    repairs.delete(doc);
    await feedSettled();
    await documents.stored(doc, hashes);
  }

  async function pushFailed(wire: Wire, doc: string, hashes: readonly string[], failure: WireFailure): Promise<void> {
    if (failure.code === "lost") return;
    if (refusals[failure.code].retry || !isAboutDocument(failure.code)) return rest(doc, REST_MS);
    // The whole push was refused: the document is not ours to write.
    await backToRelay(wire, doc, new Map(hashes.map((hash) => [hash, failure])));
  }

  /** Takes the document back to the relay's state; what was refused is told to its author. */
  async function backToRelay(wire: Wire, doc: string, refused: ReadonlyMap<string, Refusal>): Promise<void> {
    const relay = await heads(wire, doc, []);
    if (relay === "lost") return;
    if (relay === "later") return rest(doc, REST_MS);
    await feedSettled();
    await documents.reset(doc, refused, relay === "not-ours" ? relay : relay.state);
  }

  async function repair(wire: Wire, doc: string): Promise<void> {
    const before = repairs.get(doc) ?? 0;
    repairs.set(doc, before + 1);
    if (before >= REPAIRS_IN_A_ROW) {
      repairs.delete(doc);
      return rest(doc, REST_MS);
    }
    const relay = await heads(wire, doc, await documents.headsOf(doc));
    if (relay === "lost") return;
    if (relay === "later") return rest(doc, REST_MS);
    if (relay === "not-ours") {
      const hashes = documents.unsent(doc).flatMap((change) => change.hashes);
      return documents.reset(doc, new Map(hashes.map((hash) => [hash, { code: "doc.scope" }])), relay);
    }
    const repaired = await documents.repair(doc, relay.state);
    if (repaired.ok) return;
    // What is here does not fit together any more: the relay's whole document takes its place.
    const whole = await heads(wire, doc, []);
    if (typeof whole === "string") return whole === "lost" ? undefined : rest(doc, REST_MS);
    await documents.reset(doc, new Map(), whole.state);
  }

  /** The relay's state since these heads; `state` null says that it does not know the document. */
  async function heads(
    wire: Wire,
    doc: string,
    known: readonly string[],
  ): Promise<{ readonly state: RelayState | null } | "lost" | "later" | "not-ours"> {
    const release = await lanes.enter("documents");
    const answering = wire.request({ type: "heads", doc, heads: known.slice(0, 1_000) });
    sent(doc);
    const answer = await answering;
    release();
    if (answer.ok) return { state: answer.value };
    const { code } = answer.error;
    if (code === "lost") return "lost";
    if (code === "doc.unknown") return { state: null };
    return isAboutDocument(code) && !refusals[code].retry ? "not-ours" : "later";
  }

  function currentWire() {
    return wire;
  }

  return {
    start: (connected) => {
      wire = connected;
      for (const cancel of resting.values()) cancel();
      resting.clear();
      repairs.clear();
      wake();
    },
    stop: () => {
      wire = null;
      for (const cancel of resting.values()) cancel();
      resting.clear();
      lanes.waiting("documents", false);
    },
    wake,
    busy: () => debt() || inFlight.size > 0,
  };
}

/** As many unsent changes, oldest first, as one push may hold: at least one. */
function firstPush(unsent: readonly UnsentChange[]): readonly UnsentChange[] {
  let bytes = 0;
  const end = unsent.findIndex((change, index) => {
    bytes += change.bytes.length;
    return index > 0 && bytes > limits.pushBytes;
  });
  return end < 0 ? unsent : unsent.slice(0, end);
}

function outcomeOf(code: string | undefined): Pick<Attempt, "outcome" | "code"> {
  if (code === undefined) return { outcome: "acknowledged" };
  return code === "lost" ? { outcome: "lost" } : { outcome: "refused", code };
}

function refusal(code: Refusal["code"], detail: string | undefined): Refusal {
  return detail === undefined ? { code } : { code, detail };
}

const isAboutDocument = (code: string): boolean => code.startsWith("doc.") || code.startsWith("change.");
