import {
  envelopeSchema,
  eventBytes,
  eventHash,
  eventKinds,
  type Envelope,
  type EventBody,
  type EventKindName,
  type Place,
} from "@sampai/engine";
import { createHash } from "node:crypto";
import type { PlacedCandidate } from "../../src/order-log/admit.ts";

export interface CaptureOptions {
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly id?: string;
  readonly visit?: string | null;
  readonly store?: string | null;
  readonly place?: Place | null;
  /** What the wall clock said, where it differs from `at`. */
  readonly wall?: string;
  readonly pack?: number | null;
  readonly boot?: string;
  readonly tick?: number;
}

export interface Captured {
  readonly envelope: Envelope;
  readonly candidate: PlacedCandidate;
}

/** A phone's own part of capturing: it numbers and chains, as the engine does, without storage or link. */
export function createFieldPhone(device: string, rep: string) {
  const run = createHash("sha256").update(device).digest("hex").slice(0, 16);
  let seq = 0;
  let prev: string | null = null;
  return {
    device,
    rep,
    run,
    capture: <K extends EventKindName>(
      kind: K,
      body: EventBody<K> | Record<string, unknown>,
      options: CaptureOptions,
    ): Captured => {
      seq += 1;
      const id = options.id ?? uuid(`${device} ${seq}`);
      const { at } = options;
      const envelope = envelopeSchema.parse({
        v: 1,
        id,
        kind: eventKinds[kind].name,
        workspace: "test",
        device,
        run,
        seq,
        prev,
        ...(seq === 1 ? { parent: null } : {}),
        rep,
        visit: kind === "checkIn" ? (options.visit ?? id) : (options.visit ?? null),
        store: options.store ?? null,
        at,
        offset: 480,
        zone: "Asia/Kuala_Lumpur",
        clock: {
          tick: options.tick ?? Date.parse(options.wall ?? at) - Date.UTC(2026, 10, 1),
          boot: options.boot ?? `boot-${device}`,
          anchor: null,
          wall: options.wall ?? at,
        },
        place: options.place ?? null,
        seen: { pack: options.pack ?? null, store: [] },
        body,
      });
      const bytes = eventBytes(envelope);
      const hash = eventHash(bytes);
      const candidate = { run, seq, prev, hash, bytes };
      prev = hash;
      return { envelope, candidate };
    },
  };
}

export type FieldPhone = ReturnType<typeof createFieldPhone>;

/** A UUID that only depends on its name, so that a test reads the same every time. */
export function uuid(name: string): string {
  const hex = createHash("sha256").update(name).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export function fixAt(lat: number, lon: number, accuracy = 12, mock = false): Place {
  return { lat, lon, accuracy, age: 500, provider: "gps", mock };
}

/** `count` units of a good for `sen` each. */
export function orderBody(count: number, sen = 1_290, sku = "1047"): EventBody<"orderPlaced"> {
  const lines = [{ sku, quantity: count, unit: "1kg", unitPriceSen: sen, scheme: null }];
  return { lines, totalSen: count * sen, creditLimitSen: null, deliverOn: null, note: "" };
}
