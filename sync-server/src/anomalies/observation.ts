import { eventKinds, kindByName, msFromUtc, type Envelope, type EventBody, type EventKindName } from "@sampai/engine";
import type { LogItem } from "../followers/follower.ts";
import type { Masters } from "../followers/masters.ts";

/** What a detector sees of one event: nothing that depends on when or in which order the relay happened to get it. */
export interface Observation {
  readonly hash: string;
  /** Offline id. */
  readonly id: string;
  readonly device: string;
  readonly run: string;
  readonly seq: number;
  /** Capture time in milliseconds since 1970: as the phone gave it, until the clock detector corrects it. */
  readonly ms: number;
  /** When the relay got it, in milliseconds since 1970. */
  readonly receivedMs: number;
  readonly clock: {
    readonly boot: string;
    readonly tick: number;
    readonly wallMs: number;
    /** Relay time minus tick, where the phone had heard the relay in this boot. */
    readonly anchorOffsetMs: number | null;
  };
  /** Number of the reference pack that the phone had seen. */
  readonly pack: number | null;
  /** Null for a kind that this version does not know, or a body that does not fit it. */
  readonly fact: Fact | null;
  /** The person's code. */
  readonly rep: string;
  readonly visit: string | null;
  readonly store: string | null;
  /** Null where the phone sent none: not checked, never clean. */
  readonly fix: Fix | null;
  /** The store master as the relay held it when the event came, where it says a place. */
  readonly record: StorePlace | null;
  /** Holidays (`YYYY-MM-DD`) of the month before it came, as the pack that the phone had seen names them. */
  readonly holidays: readonly string[];
}

export type Fact = { [K in EventKindName]: { readonly kind: K; readonly body: EventBody<K> } }[EventKindName];

export interface Fix {
  /** Degrees, WGS 84. */
  readonly lat: number;
  readonly lon: number;
  /** Metres. */
  readonly accuracy: number;
  readonly mock: boolean;
}

export interface StorePlace {
  readonly name: string;
  readonly lat: number;
  readonly lon: number;
  /** Metres within which the store lies for certain, 0 where the coordinates are its own. */
  readonly uncertaintyMeters: number;
  readonly status: string | null;
}

const shortNames = new Map(Object.entries(eventKinds).map(([short, { name }]) => [name, short as EventKindName]));

export function observe(item: LogItem & { readonly event: Envelope }, masters: Masters): Observation {
  const { event } = item;
  const { clock, place } = event;
  const record = event.store === null ? null : masters.storeAt(event.store, item.received);
  const pack = event.seen.pack === null ? null : masters.pack(event.seen.pack);
  return {
    hash: item.hash,
    id: event.id,
    device: item.device,
    run: item.run,
    seq: item.seq,
    ms: msFromUtc(event.at),
    receivedMs: msFromUtc(item.received),
    clock: {
      boot: clock.boot,
      tick: clock.tick,
      wallMs: msFromUtc(clock.wall),
      anchorOffsetMs: clock.anchor === null ? null : msFromUtc(clock.anchor.at) - clock.anchor.tick,
    },
    pack: event.seen.pack,
    fact: factOf(event),
    rep: masters.personOf(item.device) ?? event.rep,
    visit: event.visit,
    store: event.store,
    fix:
      place === null || "missing" in place
        ? null
        : { lat: place.lat, lon: place.lon, accuracy: place.accuracy, mock: place.mock },
    record:
      record === null || record.lat === null || record.lon === null
        ? null
        : {
            name: record.name,
            lat: record.lat,
            lon: record.lon,
            uncertaintyMeters: record.uncertaintyMeters,
            status: record.status,
          },
    holidays: pack?.holidays.map(({ date }) => date).filter((date) => isShortlyBefore(date, item.received)) ?? [],
  };
}

function factOf(event: Envelope): Fact | null {
  const kind = shortNames.get(event.kind);
  const body = kindByName(event.kind)?.body.safeParse(event.body);
  return kind !== undefined && body?.success === true ? ({ kind, body: body.data } as Fact) : null;
}

const MONTH_MS = 31 * 86_400_000;

function isShortlyBefore(date: string, received: string): boolean {
  const ms = msFromUtc(received) - Date.parse(date);
  return ms > -2 * 86_400_000 && ms < MONTH_MS;
}
