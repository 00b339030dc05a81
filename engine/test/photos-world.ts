import assert from "node:assert/strict";
import { sha256Hex } from "../src/core/index.ts";
import {
  createIds,
  createMemoryFiles,
  createMemoryStorage,
  createPhotos,
  dayIn,
  ok,
  openMeter,
  type CapturedFact,
  type Clock,
  type DayMeter,
  type Envelope,
  type Facts,
  type Files,
  type NetworkKind,
  type Pack,
  type PhotoChannel,
  type Pictures,
  type PhotosRoom,
  type PhotoTransferEnd,
  type PhotoUpload,
  type Storage,
} from "../src/index.ts";
import type { Attempt, Refusal } from "../src/wire/index.ts";
import { createLanes } from "../src/outbox/lane-turns.ts";
import { seeded } from "./seeded.ts";

/** A clock that moves only when told. */
export function handClock(startMs = Date.UTC(2026, 10, 23, 1)) {
  let now = 0;
  const timers = new Set<{ at: number; run: () => void }>();
  const clock: Clock = {
    wallMs: () => startMs + now,
    tickMs: () => now,
    boot: "b1",
    after: (delayMs, run) => {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  return {
    clock,
    advance: async (ms: number) => {
      const end = now + ms;
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.run();
        await settle();
      }
      now = end;
      await settle();
    },
  };
}

const ZONE = "Asia/Kuala_Lumpur";

/** Lets everything that is ready run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`it never came to: ${what}`);
}

/** Pictures that are what they are given: the lane does not look into them. */
const plainPictures: Pictures = {
  encode: (bytes, { longestEdge }) =>
    Promise.resolve({
      bytes: longestEdge < 1_000 ? bytes.slice(0, Math.min(bytes.length, 6_000)) : bytes.slice(),
      width: 4,
      height: 3,
    }),
  grey: (_bytes, width, height) => Promise.resolve(new Uint8Array(width * height)),
};

/** What HQ would be, in memory: it takes pieces, keeps offsets, and says what it was told to say. */
export function pretendRelay() {
  const uploads = new Map<string, { key: string; got: number; size: number; sha256: string; bytes: Uint8Array }>();
  const verified = new Map<string, string>();
  const pieces: { key: string; from: number; to: number; answered: boolean }[] = [];
  let made = 0;
  let inFlight = 0;
  const relay = {
    verified,
    pieces,
    uploads,
    mostInFlight: 0,
    inFlight: () => inFlight,
    /** What it answers instead of taking the next piece, if anything. */
    answer: (_key: string, _from: number): PhotoTransferEnd | "hang" | null => null,
    /** Runs before a piece is answered. */
    onPiece: async (_key: string, _from: number): Promise<void> => undefined,
    channel: {
      send: (upload: PhotoUpload) => {
        const { promise: ended, resolve } = Promise.withResolvers<PhotoTransferEnd>();
        let stopped = false;
        let release: (() => void) | null = null;
        const leave = () => {
          if (release === null) return;
          inFlight -= 1;
          const free = release;
          release = null;
          free();
        };
        const enter = async () => {
          const got = await upload.enter();
          if (got === null || stopped) {
            got?.();
            return false;
          }
          release = got;
          inFlight += 1;
          relay.mostInFlight = Math.max(relay.mostInFlight, inFlight);
          return true;
        };
        const finish = (end: PhotoTransferEnd) => {
          leave();
          resolve(end);
        };
        const run = async () => {
          const key = `${upload.metadata.part}/${upload.metadata.photo}`;
          let path = upload.path;
          let offset = 0;
          if (path !== null) {
            if (!(await enter())) return finish({ end: "stopped" });
            const there = uploads.get(path);
            upload.spent(200, 100);
            leave();
            if (there === undefined) return finish({ end: "gone" });
            offset = there.got;
            upload.resumed(offset);
          }
          while (offset < upload.bytes.length) {
            const to = Math.min(upload.bytes.length, offset + upload.pieceBytes());
            if (!(await enter())) return finish({ end: "stopped" });
            const piece = { key, from: offset, to, answered: false };
            pieces.push(piece);
            await relay.onPiece(key, offset);
            if (stopped) return finish({ end: "stopped" });
            const said = relay.answer(key, offset);
            if (said === "hang") return undefined;
            upload.spent(to - offset + 300, 200);
            if (said !== null) {
              if (said.end === "refused" && said.refusal.code === "photo.hash" && path !== null) uploads.delete(path);
              return finish(said);
            }
            if (verified.has(key)) return finish(refusal("photo.exists"));
            if (path === null) {
              made += 1;
              path = `/files/${made}`;
              const { sha256 } = upload.metadata;
              uploads.set(path, { key, got: 0, size: upload.bytes.length, sha256, bytes: upload.bytes });
              upload.created(path);
            }
            const there = uploads.get(path);
            if (there === undefined) return finish({ end: "gone" });
            there.got = to;
            piece.answered = true;
            offset = to;
            leave();
            upload.acknowledged(to);
          }
          assert.equal(sha256Hex(upload.bytes), upload.metadata.sha256);
          verified.set(key, upload.metadata.sha256);
          return finish({ end: "complete" });
        };
        void run();
        return {
          ended,
          stop: () => {
            stopped = true;
            finish({ end: "stopped" });
          },
        };
      },
    } satisfies PhotoChannel,
  };
  return relay;
}

export function refusal(code: Refusal["code"], retryAfterMs: number | null = null): PhotoTransferEnd {
  return { end: "refused", refusal: { code }, retryAfterMs };
}

/** Facts as the lane sees them: each is saved at once, and at HQ when the test says so. */
function plainFacts(storage: Storage, clock: Clock) {
  const facts = new Map<string, CapturedFact>();
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  const api: Facts & { arrive(id: string): void; failing: boolean } = {
    failing: false,
    draft: () => Promise.reject(new Error("not used")),
    capture: async (input, also = []) => {
      if (api.failing) return { ok: false, error: { code: "capture.storage", detail: "full" } };
      await storage.commit(also);
      const id = input.id ?? "";
      const savedAt = new Date(clock.wallMs()).toISOString();
      const envelope = { id, body: input.body, visit: input.visit } as unknown as Envelope;
      const fact: CapturedFact = { envelope, hash: "", state: "saved", term: null, position: null, savedAt };
      facts.set(id, fact);
      changed();
      return ok(fact);
    },
    list: () => [...facts.values()],
    find: (id) => facts.get(id),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    arrive: (id) => {
      const fact = facts.get(id);
      assert.ok(fact !== undefined);
      facts.set(id, { ...fact, state: "at-hq", term: "1:a", position: 1 });
      changed();
    },
  };
  return api;
}

export interface PhotoWorldOptions {
  readonly photo?: Partial<Pack["photo"]>;
  readonly pictures?: Pictures;
  readonly seed?: number;
}

/** A phone with photos and everything around it that a test may bend. */
export function photoWorld(options: PhotoWorldOptions = {}) {
  const random = seeded(options.seed ?? 1);
  const hand = handClock();
  const storage = createMemoryStorage();
  const files: Files = createMemoryFiles();
  const lanes = createLanes();
  const relay = pretendRelay();
  const facts = plainFacts(storage, hand.clock);
  const attempts: Omit<Attempt, "number">[] = [];
  let doubts = 0;
  const networkListeners = new Set<() => void>();
  let kind: NetworkKind = "wifi";
  const photo = {
    longestEdge: 1_600,
    quality: 80,
    previewEdge: 320,
    originalsOnWifiOnly: false,
    mobileBytesPerDay: 1_000_000,
    ...options.photo,
  };
  let meter: DayMeter | null = null;
  /** What the room that was opened last counts with. */
  const opened = (): DayMeter => {
    assert.ok(meter !== null, "no room was opened yet");
    return meter;
  };
  const open = async (over: { storage?: Storage; files?: Files } = {}): Promise<PhotosRoom> => {
    meter = await openMeter({
      storage,
      day: () => dayIn(hand.clock.wallMs(), ZONE),
      network: () => kind,
      changed: () => void storage.commit(opened().writes()),
    });
    return createPhotos({
      identity: { zone: ZONE } as never,
      clock: hand.clock,
      random,
      ids: createIds(hand.clock, random),
      storage: over.storage ?? storage,
      files: over.files ?? files,
      facts,
      reference: {
        current: () => ({ photo }) as Pack,
        pack: () => Promise.resolve(undefined),
        onChange: () => () => undefined,
      },
      pictures: options.pictures ?? plainPictures,
      channel: relay.channel,
      network: {
        kind: () => kind,
        onChange: (listener) => {
          networkListeners.add(listener);
          return () => networkListeners.delete(listener);
        },
      },
      lanes,
      meter,
      anchor: () => null,
      attempt: (attempt) => attempts.push(attempt),
      doubt: () => (doubts += 1),
    });
  };
  const take = async (room: PhotosRoom, bytes: number): Promise<string> => {
    const captured = await room.capture({
      bytes: random.bytes(bytes),
      visit: "01936a5e-0000-7000-8000-000000000002",
      store: "S-0481",
      purpose: "shelf",
    });
    assert.ok(captured.ok, JSON.stringify(captured));
    // The next one is younger, as an id tells by its time.
    await hand.advance(1);
    return captured.value.envelope.id;
  };
  return {
    storage,
    files,
    lanes,
    relay,
    facts,
    attempts,
    doubts: () => doubts,
    meter: opened,
    clock: hand.clock,
    advance: hand.advance,
    open,
    take,
    /** Takes a photo whose event is at HQ already. */
    takeKnown: async (room: PhotosRoom, bytes: number): Promise<string> => {
      const id = await take(room, bytes);
      facts.arrive(id);
      return id;
    },
    network: (next: NetworkKind) => {
      kind = next;
      for (const listener of networkListeners) listener();
    },
  };
}
