import { BrokenPromise, unreachable } from "../core/assert.ts";
import { bestMs, utcFromMs, type Clock, type ClockAnchor } from "../core/clock.ts";
import type { Crypto } from "../core/crypto.ts";
import { bytesToHex, hexToBytes, sha256Hex, utf8ToBytes } from "../core/hash.ts";
import type { Random } from "../core/random.ts";
import type { OwnFacts } from "../events/capture.ts";
import type { Identity } from "../identity.ts";
import type { Lanes } from "../outbox/lanes.ts";
import type { Notes } from "../outbox/notes.ts";
import type { Receipt } from "../outbox/outbox.ts";
import { claimMessage, enrolAgainMessage, refusals, type Refusal } from "../wire/index.ts";
import { createBackOff } from "./back-off.ts";
import { buildClaim, knownEvents, type ClaimSources } from "./claim.ts";
import { forgettable, toldNext, voidedFor, voidedReceipts } from "./custody.ts";
import { createDrain } from "./drain.ts";
import { declareHole, placeOf } from "./holes.ts";
import type { Http } from "./http.ts";
import { isFinal, refusalOfAnswer, refusalOfClose } from "./link-end.ts";
import { linkStates, type LinkAction, type LinkHappening, type LinkState } from "./link-states.ts";
import type { Link, LinkConnection, LinkEnd } from "./link.ts";
import { createLiveWire, type LiveWire } from "./live-wire.ts";
import { coveredBy } from "./offer.ts";
import { createOpeningPatience } from "./opening-patience.ts";
import type { SyncPart, WireAnswers } from "./wire.ts";

/** After so long without a byte on an idle connection the phone asks. */
const IDLE_MS = 120_000;
const REFUSED_RETRY_MS = 900_000;
/** Claims that tell of progress keep this distance. */
const CLAIM_GAP_MS = 2_000;
const PROBE_MS = 10_000;
/** A relay that was heard so lately needs no asking. */
const HEARD_MS = 5_000;
/** A contact that ends sooner, without one acknowledgement, was of no use: a relay that fails on it would see it again at once. */
const USEFUL_MS = 1_000;
/** The first claim goes ahead of the orders, so it takes few attempts along; the rest follows when the orders are safe. */
const ATTEMPTS_AT_CONTACT = 8;
const ATTEMPTS_AT_ONCE = 100;
/** So many untold attempts are worth a claim of their own. */
const ATTEMPTS_WAITING = 40;

export interface SessionDeps extends ClaimSources {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly link: Link;
  readonly http: Http;
  readonly facts: OwnFacts;
  readonly notes: Notes;
  readonly lanes: Lanes;
  /** A batch of facts, `bytes` on the link, was answered after `tookMs`. */
  readonly measured?: (bytes: number, tookMs: number) => void;
  /** What takes part in a contact beside facts. */
  readonly parts: readonly SyncPart[];
  readonly anchor: () => ClockAnchor | null;
  /** The relay told the time. */
  readonly anchored: (anchor: ClockAnchor) => void;
}

/** The connection to the relay: opened, lost and opened again, with a claim first on every contact. */
export interface Session {
  state(): LinkState;
  refusal(): Refusal | null;
  /** RFC 3339 UTC of the next try, where one is planned. */
  nextTryAt(): string | null;
  /** The relay's term as the last claim's answer said it. */
  term(): string | null;
  goOnline(): void;
  goOffline(): void;
  networkChanged(): void;
  /** What travels beside the connection gets no answer: unless the relay was heard just now, it is asked whether it is there. */
  doubt(): void;
  /** Something is owed no more, or anew: sends what can be sent, and tells the relay when a lane has run empty. */
  progress(): void;
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

interface Contact {
  readonly connection: LinkConnection;
  readonly wire: LiveWire;
  readonly openedMs: number;
  /** Hashes declared as holes on this connection. */
  readonly holed: Set<string>;
  /** Facts travel on it. */
  drains: boolean;
  opened: boolean;
  /** Tick at which the relay had answered the first claim, in milliseconds; null before. */
  joinedMs: number | null;
  /** A batch of facts was acknowledged on it. */
  acknowledged: boolean;
  refusal: Refusal | null;
}

export function createSession(deps: SessionDeps): Session {
  const { identity, clock, crypto, link, facts, events, outbox, attempts, notes, meter, lanes, parts, evidence } = deps;
  const backOff = createBackOff(deps);
  const patience = createOpeningPatience();
  const secretKey = hexToBytes(identity.secretKey);
  const listeners = new Set<() => void>();
  let state: LinkState = "idle";
  let refusal: Refusal | null = null;
  let nextTryAt: string | null = null;
  let term: string | null = null;
  let contact: Contact | null = null;
  let cancelRetry = () => {};
  let cancelOpening = () => {};
  let cancelIdle = () => {};
  let cancelClaim: (() => void) | null = null;
  let claims = 0;
  let claimedMs = Number.NEGATIVE_INFINITY;
  let claimedDebt: readonly number[] = [0, 0, 0];
  let askedToWaitMs = 0;
  let failures = 0;
  /** The certificate was shown since the last claim was answered: once is enough. */
  let showedCertificate = false;
  /** Receipts of lost positions of which the relay was told, and those that the next claim tells. */
  const toldVoided = new Set<string>();
  let voided: readonly Receipt[] = [];
  const nowMs = () => bestMs(clock, deps.anchor());

  const changed = () => {
    for (const listener of listeners) listener();
  };
  /** What a disk does not take ends the contact; the same work is offered again later. A broken promise ends more. */
  const failed = (error: unknown) => {
    happen("lost");
    if (!(error instanceof BrokenPromise)) return;
    clock.after(0, () => {
      throw error;
    });
  };

  const drain = createDrain({
    identity,
    secretKey,
    crypto,
    clock,
    nowMs,
    events,
    facts,
    outbox,
    attempts,
    notes,
    lanes,
    evidence,
    wanted: (hash) => {
      if (contact !== null) declare(hash, contact).catch(failed);
    },
    answered: () => progress(),
    failed,
  });

  // ---- the state table ---------------------------------------------------------------------------------------------
  const happen = (happening: LinkHappening) => {
    const { to, actions } = linkStates[state][happening];
    const moved = state !== to;
    state = to;
    if (to !== "refused") refusal = null;
    for (const action of actions) act(action);
    if (moved || actions.length > 0) changed();
  };

  const act = (action: LinkAction) => {
    switch (action) {
      case "open":
        return open();
      case "close":
        return endContact();
      case "claim":
        return claim();
      case "calm":
        return backOff.calm();
      case "plan":
        return plan(Math.max(backOff.nextMs(), askedToWaitMs));
      case "plan-slow":
        return plan(REFUSED_RETRY_MS);
      case "cancel-plan":
        nextTryAt = null;
        return cancelRetry();
      default:
        return unreachable(action);
    }
  };

  const plan = (delayMs: number) => {
    askedToWaitMs = 0;
    nextTryAt = utcFromMs(nowMs() + delayMs);
    cancelRetry();
    cancelRetry = clock.after(delayMs, () => {
      nextTryAt = null;
      happen("retry-due");
    });
  };

  // ---- one connection ----------------------------------------------------------------------------------------------
  const open = () => {
    const openedMs = clock.tickMs();
    let mine: Contact | null = null;
    let early: LinkEnd | null = null;
    const isMine = () => mine !== null && contact === mine;
    const connection = link.open({
      opened: () => {
        if (!isMine()) return;
        cancelOpening();
        (mine as Contact).opened = true;
        patience.opened(clock.tickMs() - openedMs);
        note("opened", openedMs);
        happen("opened");
      },
      frame: (bytes) => {
        if (isMine()) receive(mine as Contact, bytes);
      },
      closed: (end) => {
        if (isMine()) closed(mine as Contact, end);
        else if (mine === null) early = end;
      },
    });
    const measured = (bytes: number, tookMs: number) => {
      if (mine !== null) mine.acknowledged = true;
      deps.measured?.(bytes, tookMs);
    };
    const wire = createLiveWire({ connection, clock, meter, measured, onDead: () => isMine() && happen("lost") });
    mine = {
      connection,
      wire,
      openedMs,
      holed: new Set(),
      drains: false,
      opened: false,
      joinedMs: null,
      acknowledged: false,
      refusal: null,
    };
    contact = mine;
    cancelOpening = clock.after(patience.ms(), () => {
      if (!isMine()) return;
      patience.givenUp();
      happen("lost");
    });
    // An adapter may fail before it has even answered.
    if (early !== null) closed(mine, early);
  };

  const closed = (ended: Contact, end: LinkEnd) => {
    const wasOpening = state === "connecting";
    const why = ended.refusal ?? refusalOfClose(end);
    if (why !== null && isFinal(why)) return refuse(why);
    askedToWaitMs = why?.retryAfterMs ?? 0;
    happen("lost");
    // A browser does not say why an upgrade was refused: plain HTTP does.
    if (wasOpening) askWhy().catch(failed);
  };

  const askWhy = async () => {
    const answer = await deps.http.request({ method: "POST", path: "/v1/ticket", timeoutMs: PROBE_MS });
    const why = refusalOfAnswer(answer);
    if (why !== null && isFinal(why) && (state === "waiting" || state === "connecting")) return refuse(why);
    if (answer.status < 400 || state !== "waiting") return;
    backOff.turnedAway();
    plan(Math.max(backOff.nextMs(), why?.retryAfterMs ?? 0));
    changed();
  };

  const refuse = (why: Refusal) => {
    happen("refused");
    refusal = why;
    changed();
    if (why.code === "auth.unknown") showCertificate().catch(failed);
  };

  /** A relay that was restored from an older backup may not know this device any more: the certificate says that it was. */
  const showCertificate = async () => {
    if (showedCertificate) return;
    showedCertificate = true;
    const { workspace, device, certificate, certificateSignature } = identity;
    const tokenHash = sha256Hex(utf8ToBytes(identity.token));
    const signature = bytesToHex(await crypto.sign(enrolAgainMessage({ workspace, device, tokenHash }), secretKey));
    const again = { certificate, certificateSignature, platform: deps.app, tokenHash, signature };
    const answer = await deps.http.request({
      method: "POST",
      path: "/v1/enrol/again",
      headers: { "content-type": "application/json" },
      body: utf8ToBytes(JSON.stringify(again)),
      timeoutMs: PROBE_MS,
    });
    if (answer.status === 200 && state === "refused") happen("retry-due");
    // No answer says nothing: the next try shows it again.
    if (answer.status === 0) showedCertificate = false;
  };

  const endContact = () => {
    const ended = contact;
    contact = null;
    cancelOpening();
    cancelIdle();
    cancelClaim?.();
    cancelClaim = null;
    if (ended === null) return;
    note(ended.joinedMs === null ? "failed" : "lost", ended.openedMs);
    judge(ended);
    ended.wire.end();
    drain.stop();
    if (ended.joinedMs !== null) for (const part of parts) part.lost();
    ended.connection.close();
  };

  /** What a contact was worth decides how soon the next one is tried; one that never opened says nothing. */
  const judge = ({ opened, joinedMs, acknowledged }: Contact) => {
    if (!opened) return;
    const lastedMs = joinedMs === null ? 0 : clock.tickMs() - joinedMs;
    if (acknowledged || lastedMs >= USEFUL_MS) backOff.calm();
    else backOff.turnedAway();
  };

  /** One line for each try; of a row of failures only the first, second, fourth, eighth … is kept. */
  const note = (outcome: "opened" | "failed" | "lost", sinceMs: number) => {
    if (outcome === "failed") {
      failures += 1;
      if ((failures & (failures - 1)) !== 0) return;
    }
    const tookMs = Math.round(clock.tickMs() - sinceMs);
    attempts.note({ at: utcFromMs(nowMs()), lane: "link", bytes: 0, outcome, tookMs });
  };

  const receive = (over: Contact, frame: Uint8Array) => {
    const message = over.wire.take(frame);
    if (!message.ok || message.value === null) return;
    const { value } = message;
    if (value.type === "refused") {
      const { code, detail, retryAfterMs } = value;
      // What ends no connection says nothing about the next one, such as presence at a document that has just left.
      if (refusals[code].close === null) return;
      over.refusal = {
        code,
        ...(detail === undefined ? {} : { detail }),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
      return;
    }
    if (over.joinedMs === null) return;
    for (const part of parts) part.receive(value);
  };

  // ---- claims ------------------------------------------------------------------------------------------------------
  const debt = () => {
    const { dirty, photos } = deps.elsewhere();
    return [outbox.owed().size, dirty.length, photos];
  };

  const owedEvents = () => [...outbox.owed().keys()].flatMap((hash) => events.byHash(hash) ?? []);

  const claim = () => {
    if (contact !== null) exchangeClaims(contact).catch(failed);
  };

  const exchangeClaims = async (over: Contact) => {
    claims += 1;
    const mine = claims;
    claimedMs = clock.tickMs();
    // What the relay is told must not be told anew, under another number, after a crash.
    await notes.flush();
    const telling = voided;
    const built = buildClaim(deps, {
      at: utcFromMs(nowMs()),
      onTheWay: drain.onTheWay(),
      attempts: state === "claiming" ? ATTEMPTS_AT_CONTACT : ATTEMPTS_AT_ONCE,
      voided: voidedFor(telling),
    });
    claimedDebt = debt();
    const { bytes } = built;
    const signature = await crypto.sign(claimMessage(sha256Hex(bytes)), secretKey);
    if (contact !== over) return;
    const answering = over.wire.request({ type: "claim", claim: bytes, signature });
    // What is owed for certain need not wait a round trip for the answer: the relay takes the claim first, and what
    // it was told before it answers with a duplicate.
    if (state === "claiming" && !over.drains) {
      over.drains = true;
      drain.start(over.wire);
      drain.offer(owedEvents());
    }
    const answer = await answering;
    if (contact !== over) return;
    if (!answer.ok) {
      if (answer.error.code === "lost") return;
      const why: Refusal = answer.error;
      if (!refusals[why.code].retry) return refuse(why);
      askedToWaitMs = why.retryAfterMs ?? 0;
      return happen("lost");
    }
    attempts.told(built.lastAttempt);
    for (const receipt of telling) toldVoided.add(nameOf(receipt));
    // Only the answer to the latest claim counts: an older one may not know what was said since.
    if (mine === claims) await takeAnswer(over, answer.value);
  };

  const takeAnswer = async (over: Contact, claimed: WireAnswers["claim"]) => {
    deps.anchored({ boot: clock.boot, tick: clock.tickMs(), at: claimed.at });
    ({ term } = claimed);
    showedCertificate = false;
    const checkpoint = await evidence.judge(claimed);
    if (!checkpoint.ok) noteRefusedCheckpoint(checkpoint.error);
    await facts.keep(claimed.give);
    if (contact !== over) return;
    const known = knownEvents(events, outbox);
    const covered = coveredBy(claimed.tips, new Set(claimed.holes), (hash) => known.get(hash)?.prev);
    // Before anything gets a new place, the relay hears which places it lost: so it can say what nobody brought back.
    const lost = voidedReceipts(outbox, claimed, covered);
    voided = toldNext(lost.filter((receipt) => !toldVoided.has(nameOf(receipt))));
    if (voided.length > 0) return exchangeClaims(over);
    if (lost.length > 0) await facts.oweAgain(lost.map(({ hash }) => hash));
    if (contact !== over) return;
    const checkpointSize = checkpoint.ok ? (checkpoint.value?.size ?? 0) : 0;
    await facts.forget(forgettable({ events, outbox }, { claimed, covered, checkpointSize }));
    if (contact !== over) return;
    const wants = new Set(claimed.wants);
    const offered = events
      .all()
      .filter(({ hash }) => wants.has(hash) || !covered.has(hash) || outbox.receipt(hash) === undefined);
    const joins = state === "claiming";
    if (joins) {
      over.joinedMs = clock.tickMs();
      failures = 0;
      happen("claimed");
    }
    drain.offerAnew(offered);
    for (const want of wants) if (events.byHash(want) === undefined) await declare(want, over);
    if (contact !== over) return;
    if (joins) for (const part of parts) part.connected(over.wire, claimed);
    watchIdle(over);
    progress();
  };

  const noteRefusedCheckpoint = ({ code }: Refusal) => {
    attempts.note({
      at: utcFromMs(nowMs()),
      lane: "link",
      item: "checkpoint",
      bytes: 0,
      outcome: "refused",
      code,
      tookMs: 0,
    });
    changed();
  };

  const declare = async (hash: string, over: Contact) => {
    if (over.holed.has(hash)) return;
    over.holed.add(hash);
    const place = placeOf(hash, events, outbox);
    const declared = await declareHole(place, over.wire, { ...identity, secretKey, crypto });
    if (!declared.ok) return;
    await outbox.writeOff(hash);
    drain.settled(hash);
  };

  const watchIdle = (over: Contact) => {
    cancelIdle();
    cancelIdle = clock.after(IDLE_MS, () => {
      if (contact !== over) return;
      if (clock.tickMs() - over.wire.lastHeardMs() >= IDLE_MS) claim();
      else watchIdle(over);
    });
  };

  const progress = () => {
    if (contact === null || state !== "online") return;
    // What was captured since goes at once.
    drain.offer(owedEvents());
    if (drain.isBusy() || cancelClaim !== null) return;
    // A lane that has run empty is news: HQ's board is complete only when the phone has said so.
    const ranEmpty = debt().some((owed, lane) => owed === 0 && (claimedDebt[lane] ?? 0) > 0);
    const tellsMuch = attempts.untold(ATTEMPTS_WAITING).length === ATTEMPTS_WAITING;
    if (!ranEmpty && !tellsMuch) return;
    cancelClaim = clock.after(Math.max(0, claimedMs + CLAIM_GAP_MS - clock.tickMs()), () => {
      cancelClaim = null;
      claim();
    });
  };

  return {
    state: () => state,
    refusal: () => refusal,
    nextTryAt: () => nextTryAt,
    term: () => term,
    goOnline: () => happen("go-online"),
    goOffline: () => happen("go-offline"),
    networkChanged: () => happen("network-changed"),
    doubt: () => {
      if (contact === null || state !== "online") return;
      if (clock.tickMs() - contact.wire.lastHeardMs() >= HEARD_MS) claim();
    },
    progress,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      happen("go-offline");
      await facts.settled();
      await notes.flush();
    },
  };
}

const nameOf = ({ term, position, hash }: Receipt) => `${term}/${position}/${hash}`;
