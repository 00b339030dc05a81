import type { Clock } from "../core/clock.ts";
import { inSlices } from "../core/slices.ts";
import type { Storage, StorageWrite } from "../storage/storage.ts";
import { decodeEventRecord, encodeEventRecord, type EventRecord } from "./event-record.ts";
import { eventHash, readEvent, type Envelope } from "./event.ts";

/** One event of this device, without its bytes. */
export interface OwnEvent {
  /** Place in the order in which this device took things down, from 0. Not every number is used. */
  readonly index: number;
  readonly run: string;
  readonly seq: number;
  readonly prev: string | null;
  readonly hash: string;
  readonly savedAt: string;
  readonly given: boolean;
  /** Null where the bytes are not an event that reads alike for everyone. */
  readonly envelope: Envelope | null;
  readonly byteLength: number;
}

/** This device's own events: the durable ones that can be read, found by hash and by offline id. */
export interface OwnEvents {
  /** In the order in which they were taken down. */
  all(): readonly OwnEvent[];
  byHash(hash: string): OwnEvent | undefined;
  /** The newest event under this offline id. */
  byId(id: string): OwnEvent | undefined;
  /** Null where the bytes cannot be read any more: from then on the event counts as unreadable. */
  bytesOf(event: OwnEvent): Promise<Uint8Array | null>;
  /** What a new run names as its parent: the last readable event of its own, one given back only where there is no other. */
  lastReadable(): OwnEvent | null;
  /** Takes a place for an event; a place is never used twice, also not after a failed commit. */
  place(): number;
  write(index: number, record: EventRecord): StorageWrite;
  /** Call it when the write is durable. */
  saved(index: number, record: EventRecord): OwnEvent;
  /** The write that forgets an event; its place is not used again. */
  erase(event: OwnEvent): StorageWrite;
  /** Call it when that write is durable. */
  erased(event: OwnEvent): void;
  /** Events that are known of and cannot be read. */
  unreadable(): readonly OwnEvent[];
  /** Records that cannot be read and do not say what they were. */
  readonly damaged: number;
}

const PREFIX = "facts/event/";
const keyOf = (index: number) => PREFIX + String(index).padStart(12, "0");

/** Reads what this device holds. A record that cannot be read is counted and left where it is. */
export async function openOwnEvents(storage: Storage, clock: Clock): Promise<OwnEvents> {
  const events: OwnEvent[] = [];
  const byHash = new Map<string, OwnEvent>();
  const byId = new Map<string, OwnEvent>();
  const unreadable = new Map<string, OwnEvent>();
  let damaged = 0;
  let next = 0;

  const add = (index: number, record: EventRecord): OwnEvent => {
    const read = readEvent(record.bytes);
    const { run, seq, prev, hash, savedAt, given } = record;
    const envelope = read.ok ? read.value : null;
    const event = { index, run, seq, prev, hash, savedAt, given, envelope, byteLength: record.bytes.length };
    if (!byHash.has(hash)) events.push(event);
    byHash.set(hash, event);
    unreadable.delete(hash);
    if (envelope !== null) byId.set(envelope.id, event);
    return event;
  };
  const forget = (event: OwnEvent) => {
    unreadable.set(event.hash, event);
    byHash.delete(event.hash);
    const at = events.indexOf(event);
    if (at >= 0) events.splice(at, 1);
  };

  for await (const { key, value } of inSlices(await storage.range(PREFIX), clock)) {
    const index = Number(key.slice(PREFIX.length));
    next = Math.max(next, index + 1);
    const record = decodeEventRecord(value);
    if (!record.ok) damaged += 1;
    else if (eventHash(record.value.bytes) === record.value.hash) add(index, record.value);
    else forget(add(index, record.value));
  }

  return {
    all: () => events,
    byHash: (hash) => byHash.get(hash),
    byId: (id) => {
      const event = byId.get(id);
      return event !== undefined && byHash.get(event.hash) === event ? event : undefined;
    },
    bytesOf: async (event) => {
      let value: Uint8Array | undefined;
      try {
        value = await storage.get(keyOf(event.index));
      } catch {
        value = undefined;
      }
      const record = value === undefined ? undefined : decodeEventRecord(value);
      if (record?.ok === true && eventHash(record.value.bytes) === event.hash) return record.value.bytes;
      forget(event);
      return null;
    },
    lastReadable: () => events.findLast(({ given }) => !given) ?? events.at(-1) ?? null,
    place: () => next++,
    write: (index, record) => ({ key: keyOf(index), value: encodeEventRecord(record) }),
    saved: add,
    erase: ({ index }) => ({ key: keyOf(index), value: null }),
    erased: (event) => {
      forget(event);
      unreadable.delete(event.hash);
    },
    unreadable: () => [...unreadable.values()],
    damaged,
  };
}
