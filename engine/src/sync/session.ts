import { BrokenPromise, unreachable } from "../core/assert.ts";
import { bestMs, type Clock, type ClockAnchor } from "../core/clock.ts";
import type { Crypto } from "../core/crypto.ts";
import { hexToBytes } from "../core/hash.ts";
import type { Random } from "../core/random.ts";
import type { OwnFacts } from "../events/capture.ts";
import type { Identity } from "../identity.ts";
import type { Lanes } from "../outbox/lanes.ts";
import type { Notes } from "../outbox/notes.ts";
import { refusals, type Refusal } from "../wire/index.ts";
import { createBackOff } from "./back-off.ts";
import { createClaimExchange } from "./claim-exchange.ts";
import type { ClaimSources } from "./claim.ts";
import { openContact, type Contact } from "./contact.ts";
import { createDrain } from "./drain.ts";
import { createEnrolAgain } from "./enrol-again.ts";
import { createHoles } from "./holes.ts";
import type { Http } from "./http.ts";
import { isFinal, refusalOfAnswer } from "./link-end.ts";
import { linkStates, type LinkAction, type LinkHappening, type LinkState } from "./link-states.ts";
import type { Link } from "./link.ts";
import { createNextClaim } from "./next-claim.ts";
import { owedEvents } from "./offer.ts";
import { createOpeningPatience } from "./opening-patience.ts";
import { createRetry } from "./retry.ts";
import { createTries } from "./tries.ts";
import type { SyncPart } from "./wire.ts";

const PROBE_MS = 10_000;

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

export function createSession(deps: SessionDeps): Session {
  const { identity, clock, facts, events, outbox, notes, parts } = deps;
  const secretKey = hexToBytes(identity.secretKey);
  const listeners = new Set<() => void>();
  let state: LinkState = "idle";
  let refusal: Refusal | null = null;
  let term: string | null = null;
  let contact: Contact | null = null;
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

  const backOff = createBackOff(deps);
  const patience = createOpeningPatience();
  const tries = createTries({ ...deps, nowMs });
  const retry = createRetry({ clock, nowMs, backOff, due: () => happen("retry-due") });
  const enrolAgain = createEnrolAgain({ ...deps, secretKey });
  const holes = createHoles({ ...deps, secretKey, settled: (hash) => drain.settled(hash) });
  const drain = createDrain({
    ...deps,
    secretKey,
    nowMs,
    wanted: (hash) => {
      if (contact !== null) holes.declare(hash, contact.wire).catch(failed);
    },
    answered: () => progress(),
    failed,
  });
  const nextClaim = createNextClaim({ ...deps, claim: () => claim() });
  const claims = createClaimExchange({
    ...deps,
    secretKey,
    nowMs,
    drain,
    holes,
    nextClaim,
    answered: (claimed) => {
      deps.anchored({ boot: clock.boot, tick: clock.tickMs(), at: claimed.at });
      ({ term } = claimed);
      enrolAgain.known();
    },
    joined: () => happen("claimed"),
    refused: (why) => {
      if (!refusals[why.code].retry) return refuse(why);
      retry.spare(why.retryAfterMs ?? 0);
      happen("lost");
    },
    doubted: changed,
    taken: () => progress(),
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
        return retry.soon();
      case "plan-slow":
        return retry.slowly();
      case "cancel-plan":
        return retry.cancel();
      default:
        return unreachable(action);
    }
  };

  // ---- one contact after the other ---------------------------------------------------------------------------------
  const open = () => {
    contact = openContact({ ...deps, patience, backOff, tries });
    contact.listen({
      opened: () => happen("opened"),
      received: (message) => {
        for (const part of parts) part.receive(message);
      },
      closed,
      dead: () => happen("lost"),
    });
  };

  const endContact = () => {
    const ended = contact;
    contact = null;
    nextClaim.stop();
    if (ended === null) return;
    ended.end();
    drain.stop();
    if (ended.hasJoined()) for (const part of parts) part.lost();
  };

  const closed = (why: Refusal | null) => {
    const wasOpening = state === "connecting";
    if (why !== null && isFinal(why)) return refuse(why);
    retry.spare(why?.retryAfterMs ?? 0);
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
    retry.spare(why?.retryAfterMs ?? 0);
    retry.soon();
    changed();
  };

  const refuse = (why: Refusal) => {
    happen("refused");
    refusal = why;
    changed();
    if (why.code === "auth.unknown") showCertificate().catch(failed);
  };

  const showCertificate = async () => {
    if ((await enrolAgain.show()) && state === "refused") happen("retry-due");
  };

  // ---- what a contact is for ---------------------------------------------------------------------------------------
  const claim = () => {
    if (contact !== null) claims.exchange(contact).catch(failed);
  };

  const progress = () => {
    if (contact === null || state !== "online") return;
    // What was captured since goes at once.
    drain.offer(owedEvents(events, outbox));
    if (!drain.isBusy()) nextClaim.news();
  };

  return {
    state: () => state,
    refusal: () => refusal,
    nextTryAt: () => retry.at(),
    term: () => term,
    goOnline: () => happen("go-online"),
    goOffline: () => happen("go-offline"),
    networkChanged: () => happen("network-changed"),
    doubt: () => {
      if (contact !== null && state === "online") nextClaim.doubt(contact);
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
