import { createNodeCrypto } from "../adapters/node-crypto.ts";
import {
  createFacts,
  createIds,
  createLanes,
  createNotes,
  createSession,
  openEvidence,
  openAttempts,
  openMeter,
  openOutbox,
  openOwnEvents,
  type Attempt,
  type Clock,
  type ClockAnchor,
  type Crypto,
  type Identity,
  type Link,
  type LinkEnd,
  type OwnEvents,
  type OwnFacts,
  type Outbox,
  type Session,
  type Storage,
  type StorageDamage,
  type SyncPart,
} from "../src/index.ts";
import { bytesToHex } from "../src/core/hash.ts";
import type { RelayMessage } from "../src/wire/index.ts";
import { decodeFrame, encodeFrame, relayMessageSchema } from "../src/wire/index.ts";
import type { ModelRelay } from "./model-relay.ts";
import type { Seeded } from "./seeded.ts";
import type { SimulatedTime } from "./simulated-time.ts";

export const crypto: Crypto = createNodeCrypto();
const pair = await crypto.generateKeyPair();

export const publicKey = pair.publicKey;
export const identity: Identity = {
  workspace: "w",
  device: "d1",
  rep: "R012",
  name: "Aishah",
  role: "rep",
  zone: "Asia/Kuala_Lumpur",
  relay: "http://relay",
  token: "t",
  secretKey: bytesToHex(pair.secretKey),
  publicKey: bytesToHex(pair.publicKey),
  rootKey: "00",
  certificate: "{}",
  certificateSignature: "00",
};

/** What the network does with frames; a test changes it as it goes. */
export interface SimulatedNetwork extends Link {
  up: boolean;
  /** Frames vanish and nobody is told: no close, no answer. */
  silent: boolean;
  latencyMs: number;
  /** Called with each answer of the relay; false throws it away and cuts the link. */
  onAnswer: ((message: RelayMessage) => boolean) | null;
  /** Ends open connections as a lost signal does. */
  cut(end?: LinkEnd): void;
  /** The relay says something unasked over the open connection. */
  say(message: RelayMessage): void;
  opened: number;
}

/** A link of the phone's own process to the model relay: frames take time, are lost together with the link, keep order. */
export function createSimulatedNetwork(clock: Clock, relay: ModelRelay): SimulatedNetwork {
  let alive: { closed: (end: LinkEnd) => void; frame: (bytes: Uint8Array) => void } | null = null;
  const network: SimulatedNetwork = {
    up: true,
    silent: false,
    latencyMs: 20,
    onAnswer: null,
    opened: 0,
    cut: (end = { code: 1006, reason: "" }) => alive?.closed(end),
    say: (message) => alive?.frame(encodeFrame(message)),
    open: (events) => {
      network.opened += 1;
      let ended = false;
      const mine = {
        frame: (bytes: Uint8Array) => events.frame(bytes),
        closed: (end: LinkEnd) => {
          if (ended) return;
          ended = true;
          if (alive === mine) alive = null;
          events.closed(end);
        },
      };
      alive = mine;
      clock.after(network.latencyMs, () => {
        if (ended) return;
        if (network.up && !network.silent) events.opened();
        else if (!network.silent) mine.closed({ code: 1006, reason: "" });
      });
      return {
        send: (frame) => {
          if (ended) return;
          clock.after(network.latencyMs, () => {
            if (ended || network.silent || !network.up) return;
            void relay.receive(frame).then((answer) => {
              if (answer === null) return;
              const message = decodeFrame(relayMessageSchema, answer);
              if (message.ok && network.onAnswer?.(message.value) === false) {
                mine.closed({ code: 1006, reason: "" });
                return;
              }
              clock.after(network.latencyMs, () => {
                if (!ended && !network.silent && network.up) events.frame(answer);
              });
            });
          });
        },
        bufferedBytes: () => 0,
        close: () => mine.closed({ code: 1000, reason: "" }),
      };
    },
  };
  return network;
}

export interface SimulatedPhone {
  readonly facts: OwnFacts;
  readonly session: Session;
  readonly events: OwnEvents;
  readonly outbox: Outbox;
  readonly network: SimulatedNetwork;
  attempts(): readonly Attempt[];
  kill(): void;
}

/** One start of a phone's process: the facts half of the engine over a storage and a network. */
export async function startPhone(options: {
  readonly time: SimulatedTime;
  readonly random: Seeded;
  readonly storage: Storage & { readonly damage?: readonly StorageDamage[] };
  readonly relay: ModelRelay;
  readonly parts?: readonly SyncPart[];
  readonly ticket?: { readonly status: number; readonly code: string };
}): Promise<SimulatedPhone> {
  const { time, random, storage, relay, parts = [], ticket } = options;
  const clock = time.clock(`boot-${time.nowMs()}-${random.below(1_000_000)}`);
  const ids = createIds(clock, random);
  let anchor: ClockAnchor | null = null;
  const outbox = await openOutbox(storage, clock);
  const events = await openOwnEvents(storage, clock);
  const notes = createNotes(storage, clock, [() => attempts.writes(), () => meter.writes()]);
  const attempts = await openAttempts(storage, () => notes.changed());
  const meter = await openMeter({
    storage,
    day: () => "2026-11-23",
    network: () => "wifi",
    changed: () => notes.changed(),
  });
  const facts = await createFacts({
    identity,
    clock,
    ids,
    storage,
    events,
    outbox,
    anchor: () => anchor,
    packNumber: () => 7,
  });
  const network = createSimulatedNetwork(clock, relay);
  const evidence = await openEvidence({ storage, crypto, identity });
  const session = createSession({
    evidence,
    identity,
    app: "test",
    clock,
    random,
    crypto,
    link: network,
    http: {
      request: () =>
        Promise.resolve({
          status: ticket?.status ?? 0,
          headers: {},
          body: new TextEncoder().encode(JSON.stringify({ code: ticket?.code })),
        }),
    },
    facts,
    events,
    outbox,
    attempts,
    notes,
    meter,
    lanes: createLanes(),
    damage: storage.damage ?? [],
    elsewhere: () => ({ dirty: [], cursor: null, pack: 7, photos: 0, photoBytes: 0, photosOwed: [] }),
    parts,
    anchor: () => anchor,
    anchored: (told) => {
      anchor = told;
    },
  });
  outbox.onChange(() => session.progress());
  return {
    facts,
    session,
    events,
    outbox,
    network,
    attempts: () => attempts.list(),
    kill: () => {
      clock.stop();
      network.up = false;
    },
  };
}

/** Something to capture. */
export const attendance = { kind: "attendanceStarted", body: { odometerKm: null } } as const;
