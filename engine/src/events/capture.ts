import { bestMs, dayIn, offsetMinutes, utcFromMs, type Clock, type ClockAnchor } from "../core/clock.ts";
import type { Ids } from "../core/id.ts";
import { err, ok, type Result } from "../core/result.ts";
import { createSerial } from "../core/serial.ts";
import type { Identity } from "../identity.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Storage, StorageWrite } from "../storage/storage.ts";
import { limits, type AppendItem } from "../wire/index.ts";
import { openDrafts } from "./drafts.ts";
import { eventBytes, eventHash, readEvent, type Envelope } from "./event.ts";
import type { EventRecord } from "./event-record.ts";
import type { CapturedFact, CaptureError, CaptureInput, Facts, FactState } from "./facts.ts";
import { eventKinds } from "./kinds/index.ts";
import type { OwnEvent, OwnEvents } from "./own-events.ts";
import { isWorking, placeWithin } from "./working-day.ts";

export interface CaptureDeps {
  readonly identity: Pick<Identity, "workspace" | "device" | "rep" | "zone">;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly storage: Storage;
  readonly events: OwnEvents;
  readonly outbox: Outbox;
  /** The last relay time this device knows. */
  readonly anchor: () => ClockAnchor | null;
  /** Number of the reference pack in force, null before the first. */
  readonly packNumber: () => number | null;
}

/** An event of this device as the relay gives it back. */
export interface GivenEvent {
  readonly run: string;
  readonly item: AppendItem;
}

/** The facts of this device with what the session needs of them. */
export interface OwnFacts extends Facts {
  /** The relay found another event at a place of this run: nothing more is captured in it. */
  endRun(run: string): void;
  /** Keeps events that the relay holds and this device has lost. Those that are here already are left alone. */
  keep(given: readonly GivenEvent[]): Promise<void>;
  /** The relay lost the places of these events: they are owed again. Those that cannot be read here are left alone. */
  oweAgain(hashes: readonly string[]): Promise<void>;
  /** Lets go of events that the relay, a checkpoint and a verified backup hold. */
  forget(forgotten: readonly OwnEvent[]): Promise<void>;
  /** Resolves when what was called before is saved. */
  settled(): Promise<void>;
}

interface Run {
  readonly id: string;
  readonly seq: number;
  readonly hash: string;
}

/** Opens the facts of this device. */
export async function createFacts(deps: CaptureDeps): Promise<OwnFacts> {
  const { identity, clock, ids, storage, events, outbox } = deps;
  const drafts = await openDrafts(storage, ids);
  const serial = createSerial();
  const listeners = new Set<() => void>();
  const told = new Map<string, CapturedFact>();
  /** The run of this start; null until the first capture, and again when a commit failed or a branch was found. */
  let run: Run | null = null;
  const nowMs = () => bestMs(clock, deps.anchor());

  const stateOf = (hash: string): FactState => {
    if (outbox.refusal(hash) !== undefined) return "refused";
    if (outbox.isSending(hash)) return "sending";
    return outbox.owed().has(hash) || outbox.receipt(hash) === undefined ? "saved" : "at-hq";
  };
  const factOf = (event: OwnEvent, envelope: Envelope): CapturedFact => {
    const { hash, savedAt } = event;
    const state = stateOf(hash);
    const receipt = outbox.receipt(hash);
    const known = told.get(hash);
    if (known?.state === state && known.term === (receipt?.term ?? null)) return known;
    const fact = {
      envelope,
      hash,
      state,
      term: receipt?.term ?? null,
      position: receipt?.position ?? null,
      savedAt,
    };
    told.set(hash, fact);
    return fact;
  };
  const changed = () => {
    for (const listener of listeners) listener();
  };
  outbox.onChange(changed);

  const capture = async (
    input: CaptureInput,
    also: readonly StorageWrite[],
  ): Promise<Result<CapturedFact, CaptureError>> => {
    const kind = eventKinds[input.kind];
    const body = kind.body.safeParse(input.body);
    if (!body.success) {
      const issue = body.error.issues[0];
      const detail = issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`;
      return err({ code: "capture.body", detail });
    }
    const id = input.id ?? ids.offlineId();
    const visit = input.kind === "checkIn" ? id : (input.visit ?? null);
    const store = input.store ?? null;
    if (kind.inVisit && (visit === null || store === null))
      return err({ code: "capture.visit", detail: `${input.kind} needs a visit and a store` });
    if (input.kind === "checkIn" && (input.visit ?? id) !== id)
      return err({ code: "capture.visit", detail: "a check-in's id is its visit's id" });

    const used = events.byId(id);
    if (used?.envelope !== null && used?.envelope !== undefined) {
      const { kind: usedKind, visit: usedVisit, store: usedStore, body: usedBody } = used.envelope;
      const same = [usedKind, usedVisit, usedStore, usedBody];
      // The same id with the same content is the same fact, told twice: an impatient finger, a retry after a kill.
      if (JSON.stringify(same) === JSON.stringify([kind.name, visit, store, body.data]))
        return ok(factOf(used, used.envelope));
      return err({ code: "capture.id", detail: `${id} is the id of another event` });
    }

    const ms = nowMs();
    const at = utcFromMs(ms);
    const anchor = deps.anchor();
    const before = run;
    const parent = before === null ? events.lastReadable() : null;
    const envelope: Envelope = {
      v: 1,
      id,
      kind: kind.name,
      workspace: identity.workspace,
      device: identity.device,
      run: before?.id ?? ids.run(),
      seq: (before?.seq ?? 0) + 1,
      prev: before?.hash ?? null,
      ...(before === null
        ? { parent: parent === null ? null : { run: parent.run, seq: parent.seq, hash: parent.hash } }
        : {}),
      rep: identity.rep,
      visit,
      store,
      at,
      offset: offsetMinutes(ms, identity.zone),
      zone: identity.zone,
      clock: {
        tick: clock.tickMs(),
        boot: clock.boot,
        anchor: anchor === null || anchor.boot !== clock.boot ? null : { tick: anchor.tick, at: anchor.at },
        wall: utcFromMs(clock.wallMs()),
      },
      place: placeWithin(
        kind.name,
        input.place ?? null,
        isWorking(events.all(), dayIn(ms, identity.zone), identity.zone),
      ),
      seen: { pack: deps.packNumber(), store: [...(input.storeHeads ?? [])] },
      body: body.data,
    };
    const bytes = eventBytes(envelope);
    if (bytes.length > limits.eventBytes)
      return err({ code: "capture.body", detail: `larger than ${limits.eventBytes} bytes` });
    const read = readEvent(bytes);
    if (!read.ok) return err({ code: "capture.body", detail: read.error.detail });

    const record: EventRecord = {
      run: envelope.run,
      seq: envelope.seq,
      prev: before?.hash ?? parent?.hash ?? null,
      hash: eventHash(bytes),
      savedAt: at,
      given: false,
      bytes,
    };
    const index = events.place();
    const owed = owedOf(record, kind.name);
    try {
      await storage.commit([events.write(index, record), outbox.owe(owed), ...drafts.usedUp(id), ...also]);
    } catch (error) {
      // The bytes may be on the disk all the same: nothing may ever follow them under the next number.
      run = null;
      return err({ code: "capture.storage", detail: error instanceof Error ? error.message : String(error) });
    }
    // Unless the relay ended it meanwhile, the run goes on.
    if (before === null || run === before) run = { id: record.run, seq: record.seq, hash: record.hash };
    drafts.forget(id);
    const event = events.saved(index, record);
    outbox.owes(owed);
    return ok(factOf(event, read.value));
  };

  const facts: OwnFacts = {
    draft: (form) => serial(() => drafts.of(form)),
    capture: (input, also = []) => serial(() => capture(input as CaptureInput, also)),
    list: () => events.all().flatMap((event) => (event.envelope === null ? [] : [factOf(event, event.envelope)])),
    find: (id) => {
      const event = events.byId(id);
      return event === undefined || event.envelope === null ? undefined : factOf(event, event.envelope);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    endRun: (ended) => {
      if (run?.id === ended) run = null;
    },
    keep: (given) =>
      serial(async () => {
        const savedAt = utcFromMs(nowMs());
        const lost = given
          .map(({ run, item }) => ({ run, ...item, hash: eventHash(item.bytes), savedAt, given: true }))
          .filter(({ hash }) => events.byHash(hash) === undefined)
          .map((record) => {
            const read = readEvent(record.bytes);
            return { index: events.place(), record, owed: owedOf(record, read.ok ? read.value.kind : "") };
          });
        // A number of the run that is going on here, given by somebody else: a copy of this phone lives.
        if (lost.some(({ record }) => record.run === run?.id)) run = null;
        for (let from = 0; from < lost.length; from += limits.batchEvents) {
          const together = lost.slice(from, from + limits.batchEvents);
          await storage.commit(
            together.flatMap(({ index, record, owed }) => [events.write(index, record), outbox.owe(owed)]),
          );
          for (const { index, record, owed } of together) {
            events.saved(index, record);
            outbox.owes(owed);
          }
        }
      }),
    oweAgain: (hashes) =>
      serial(async () => {
        const lost = hashes.flatMap((hash) => events.byHash(hash) ?? []);
        for (let from = 0; from < lost.length; from += limits.batchEvents) {
          const together = lost.slice(from, from + limits.batchEvents);
          await outbox.oweAgain(together.map((event) => owedOf(event, event.envelope?.kind ?? "")));
        }
      }),
    forget: (forgotten) =>
      serial(async () => {
        if (forgotten.length === 0) return;
        await storage.commit(forgotten.flatMap((event) => [events.erase(event), outbox.release(event.hash)]));
        for (const event of forgotten) {
          events.erased(event);
          outbox.released(event.hash);
          told.delete(event.hash);
        }
        changed();
      }),
    settled: () => serial(() => Promise.resolve()),
  };
  return facts;
}

/** Its own event kinds decide what an order is: what the sync centre counts as one. */
function owedOf(record: Omit<EventRecord, "bytes" | "given">, kind: string) {
  const { run, seq, prev, hash, savedAt } = record;
  return { run, seq, prev, hash, order: kind === eventKinds.orderPlaced.name, at: savedAt };
}
