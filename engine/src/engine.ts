import { bestMs, dayIn, utcFromMs, type Clock, type ClockAnchor } from "./core/clock.ts";
import type { Crypto } from "./core/crypto.ts";
import type { Ids } from "./core/id.ts";
import type { Network } from "./core/network.ts";
import type { Random } from "./core/random.ts";
import { openHeldDays, type Days } from "./day/held-days.ts";
import type { Documents } from "./documents/documents.ts";
import type { Presence } from "./documents/presence.ts";
import { createDocuments } from "./documents/store.ts";
import { readingRules } from "./documents/view.ts";
import { createFacts } from "./events/capture.ts";
import type { CapturedFact, Facts } from "./events/facts.ts";
import { openVisits } from "./events/open-visits.ts";
import { openOwnEvents } from "./events/own-events.ts";
import type { Identity } from "./identity.ts";
import { openAttempts, type Attempts } from "./outbox/attempts.ts";
import { createLanes } from "./outbox/lane-turns.ts";
import type { LaneName } from "./outbox/lanes.ts";
import { openMeter, type DayMeter, type DaySpent, type SpentByLane } from "./outbox/meter.ts";
import { createNotes, type Notes } from "./outbox/notes.ts";
import { openOutbox } from "./outbox/outbox.ts";
import type { PhotoChannel } from "./photos/channel.ts";
import { createPhotos } from "./photos/create.ts";
import type { PhotoBudget, Photos, Pictures } from "./photos/photos.ts";
import { createReference } from "./reference/held-packs.ts";
import type { Reference } from "./reference/reference.ts";
import { rescueQueue, type Rescued } from "./rescue/rescue.ts";
import type { Files } from "./storage/files.ts";
import type { Storage } from "./storage/storage.ts";
import { createDaySync } from "./sync/day-sync.ts";
import { createDocumentSync } from "./sync/document-sync.ts";
import { openEvidence, type CheckpointStanding } from "./sync/evidence.ts";
import type { Http } from "./sync/http.ts";
import type { LinkState } from "./sync/link-states.ts";
import type { Link } from "./sync/link.ts";
import { metered } from "./sync/metered-http.ts";
import { createPackSync } from "./sync/pack-sync.ts";
import { createPresence } from "./sync/presence.ts";
import { createSession } from "./sync/session.ts";
import type { SyncPart } from "./sync/wire.ts";
import type { Attempt, Refusal } from "./wire/index.ts";

/** Everything that the engine asks of a platform. */
export interface EngineDeps {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly crypto: Crypto;
  readonly storage: Storage;
  /** Photo bytes, apart from the storage, so that a large file never stands in a commit's way. */
  readonly files: Files;
  readonly link: Link;
  readonly http: Http;
  readonly pictures: Pictures;
  readonly photoChannel: PhotoChannel;
  readonly network: Network;
  /** Name and version of the app, for the claim. */
  readonly app: string;
}

export type { CheckpointStanding } from "./sync/evidence.ts";
export type { LinkState } from "./sync/link-states.ts";

/** What the sync centre shows. Debt and connection are separate facts: online is not synced. */
export interface SyncStatus {
  readonly link: LinkState;
  readonly refusal: Refusal | null;
  /** RFC 3339 UTC of the next try, where one is planned. */
  readonly nextTryAt: string | null;
  readonly queue: {
    readonly events: number;
    readonly orders: number;
    readonly oldestAt: string | null;
    readonly documents: number;
    readonly photos: number;
    readonly photoBytes: number;
    /** Refused by HQ, or lost on this phone. */
    readonly photosNotComing: number;
  };
  /** RFC 3339 UTC when the relay last acknowledged the last thing owed of facts and documents. */
  readonly allInAt: string | null;
  /** Facts and documents are at HQ. Photos are counted apart. */
  readonly safeToSwitchOff: boolean;
  readonly needsYou: number;
  /** Bytes of today: all together, by lane (`link` is what belongs to none), and by kind of network and lane. */
  readonly spent: {
    readonly day: string;
    readonly sentBytes: number;
    readonly receivedBytes: number;
    readonly lanes: SpentByLane;
    readonly networks: DaySpent["networks"];
  };
  readonly photoBudget: PhotoBudget;
  readonly anchor: ClockAnchor | null;
  /** The relay's log by its newest checkpoint that was verified here, and why the last one was not believed. */
  readonly checkpoint: CheckpointStanding | null;
  readonly checkpointRefusal: Refusal | null;
}

export interface Engine {
  readonly identity: Identity;
  readonly facts: Facts;
  readonly documents: Documents;
  readonly presence: Presence;
  readonly reference: Reference;
  readonly photos: Photos;
  /** What HQ has certified of this person's days. */
  readonly days: Days;
  /** The workspace's day now (`YYYY-MM-DD`), by the best time that this device can give. */
  today(): string;
  status(): SyncStatus;
  /** The last attempts, newest last: what was tried, when, how many bytes, with which end. */
  attempts(): readonly Attempt[];
  /** Called when anything in `status` changed. The answer stops it. */
  onStatus(listener: (status: SyncStatus) => void): () => void;
  /** Called for each fact when its receipt is durable here. The answer stops it. */
  onAcknowledged(listener: (fact: CapturedFact) => void): () => void;
  /** Whether this lane owes the relay nothing; for documents while online also that the feed is caught up with. */
  isEmpty(lane: LaneName): boolean;
  /** Starts or goes on trying to reach the relay. */
  goOnline(): void;
  /** Ends the connection and stays offline until `goOnline`. */
  goOffline(): void;
  /** The platform says the network changed or the app came back: an open connection is doubted, a waiting one tried now. */
  networkChanged(): void;
  /** Everything that this device owes, in one sealed file that an operator imports. Needs no connection, changes nothing. */
  rescue(): Promise<Rescued>;
  /** Stops, after what is being saved is saved. */
  close(): Promise<void>;
}

/** Opens everything that this device holds and puts the rooms together. It stays offline until `goOnline`. */
export async function createEngine(deps: EngineDeps): Promise<Engine> {
  const { identity, clock, random, ids, crypto, storage, files, network } = deps;
  let anchor: ClockAnchor | null = null;
  const nowMs = () => bestMs(clock, anchor);
  const today = () => dayIn(nowMs(), identity.zone);

  const sources: { attempts?: Attempts; meter?: DayMeter } = {};
  const notes: Notes = createNotes(storage, clock, [
    () => sources.attempts?.writes() ?? [],
    () => sources.meter?.writes() ?? [],
  ]);
  const attempts = (sources.attempts = await openAttempts(storage, () => notes.changed()));
  const meter = (sources.meter = await openMeter({
    storage,
    day: today,
    network: () => network.kind(),
    changed: () => notes.changed(),
  }));
  const lanes = createLanes();
  const http = metered(deps.http, meter);

  const outbox = await openOutbox(storage, clock);
  const events = await openOwnEvents(storage, clock);
  const facts = await createFacts({
    identity,
    clock,
    ids,
    storage,
    events,
    outbox,
    anchor: () => anchor,
    packNumber: () => reference.current()?.number ?? null,
  });
  const reference = await createReference({
    storage,
    crypto,
    workspace: identity.workspace,
    rootKey: identity.rootKey,
    maySwap: () => openVisits(facts.list(), today(), identity.zone).length === 0,
  });
  const documents = await createDocuments({
    identity,
    clock,
    random,
    storage,
    anchor: () => anchor,
    rules: () => readingRules(reference.current()),
  });
  const photos = await createPhotos({
    identity,
    clock,
    random,
    ids,
    storage,
    files,
    facts,
    reference,
    pictures: deps.pictures,
    channel: deps.photoChannel,
    network,
    lanes,
    meter,
    anchor: () => anchor,
    attempt: (attempt) => attempts.note(attempt),
    doubt: () => session.doubt(),
  });

  const documentSync = createDocumentSync({
    documents,
    lanes,
    clock,
    attempted: (attempt) => attempts.note(attempt),
  });
  const packSync = createPackSync({
    http,
    reference,
    clock,
    lanes,
    onRefused: ({ number, code }) =>
      attempts.note({
        at: utcFromMs(nowMs()),
        lane: "documents",
        item: `pack/${number}`,
        bytes: 0,
        outcome: "refused",
        code,
        tookMs: 0,
      }),
  });
  const days = await openHeldDays({ identity, storage, crypto });
  const daySync = createDaySync({ days, facts, http, lanes, rep: identity.rep, zone: identity.zone, nowMs });
  const presence = createPresence({ workspace: identity.workspace, clock, random });
  const photoPart: SyncPart = {
    name: "photos",
    connected: (_wire, { term }) => photos.connected({ term }),
    receive: () => {},
    lost: () => photos.lost(),
  };
  const evidence = await openEvidence({ storage, crypto, identity });
  const session = createSession({
    evidence,
    identity,
    app: deps.app,
    clock,
    random,
    crypto,
    link: deps.link,
    http,
    facts,
    events,
    outbox,
    attempts,
    notes,
    meter,
    lanes,
    damage: storage.damage ?? [],
    elsewhere: () => {
      const { photos: owedPhotos, bytes } = photos.queue();
      return {
        dirty: documents.dirty(),
        cursor: documents.cursor(),
        pack: reference.newest() === 0 ? null : reference.newest(),
        photos: owedPhotos,
        photoBytes: bytes,
        photosOwed: photos.owed(),
      };
    },
    measured: (bytes, tookMs) => photos.measured(bytes, tookMs),
    parts: [packSync, documentSync, presence, daySync, photoPart],
    anchor: () => anchor,
    anchored: (told) => {
      anchor = told;
    },
  });

  const listeners = new Set<(status: SyncStatus) => void>();
  let told = "";
  const isAllIn = () => outbox.owed().size === 0 && documents.dirty().length === 0;
  let wasAllIn = isAllIn();
  let allInAt: string | null = wasAllIn
    ? [...outbox.receipts()].reduce<string | null>((last, { at }) => (last === null || at > last ? at : last), null)
    : null;

  const status = (): SyncStatus => {
    const queue = photos.queue();
    return {
      link: session.state(),
      refusal: session.refusal(),
      nextTryAt: session.nextTryAt(),
      queue: {
        ...outbox.queue(),
        documents: documents.dirty().length,
        photos: queue.photos,
        photoBytes: queue.bytes,
        photosNotComing: queue.notComing,
      },
      allInAt,
      safeToSwitchOff: isAllIn(),
      needsYou: documents.needsYou().length,
      spent: { ...meter.total(), lanes: meter.byLane(), networks: meter.today().networks },
      photoBudget: photos.budget(),
      anchor,
      checkpoint: evidence.standing(),
      checkpointRefusal: evidence.refusal(),
    };
  };
  const changed = () => {
    if (isAllIn() && !wasAllIn) allInAt = utcFromMs(nowMs());
    wasAllIn = isAllIn();
    if (listeners.size === 0) return;
    const now = status();
    const text = JSON.stringify({ ...now, spent: null, anchor: null });
    if (text === told) return;
    told = text;
    for (const listener of listeners) listener(now);
  };
  const progressed = () => {
    session.progress();
    changed();
  };
  outbox.onChange(progressed);
  documents.onChange(progressed);
  documents.onWork(progressed);
  photos.onChange(progressed);
  session.onChange(changed);
  reference.onChange(() => documents.rulesChanged());
  facts.onChange(() => {
    // A visit may have ended: a pack that waited for it can come into force.
    if (reference.newest() === (reference.current()?.number ?? 0)) return;
    // A full disk keeps the old pack in force; the next fact tries again.
    reference.settle().catch(() => {});
  });

  return {
    identity,
    facts,
    documents,
    presence,
    reference,
    photos,
    days,
    today,
    status,
    attempts: () => attempts.list(),
    onStatus: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onAcknowledged: (listener) =>
      outbox.onReceipts((receipts) => {
        for (const { hash } of receipts) {
          const envelope = events.byHash(hash)?.envelope;
          const fact = envelope === null || envelope === undefined ? undefined : facts.find(envelope.id);
          if (fact !== undefined) listener(fact);
        }
      }),
    isEmpty: (lane) => {
      if (lane === "facts") return outbox.owed().size === 0;
      if (lane === "photos") return photos.queue().photos === 0;
      const link = session.state();
      const isOff = link === "idle" || link === "refused";
      return documents.dirty().length === 0 && (isOff || (link === "online" && !documentSync.busy()));
    },
    goOnline: () => session.goOnline(),
    goOffline: () => session.goOffline(),
    networkChanged: () => session.networkChanged(),
    rescue: () =>
      rescueQueue(
        { identity, crypto, random, events, outbox, documents, photosOwed: () => photos.owed() },
        utcFromMs(nowMs()),
      ),
    close: async () => {
      await session.close();
      await photos.close();
      await documents.close();
      await storage.close();
    },
  };
}
