import { bestMs, msFromUtc } from "../core/clock.ts";
import { refusals, type RefusalCode } from "../wire/index.ts";
import { capturePhoto, removeOrphans } from "./capture.ts";
import { openOwed, type Owed, type OwedRecord } from "./owed.ts";
import type { OwedPhoto, PhotosDeps, PhotosRoom, PhotoState, PhotoWait } from "./photos.ts";
import { photoPolicy } from "./photo-policy.ts";
import { photoBudget } from "./spending.ts";
import { createPhotoLane, type PhotoLane } from "./upload.ts";

const DAY_MS = 86_400_000;
/** An original stays on the phone for so long after HQ verified it, for the case that HQ is restored from a backup. */
const KEEP_ORIGINAL_MS = 7 * DAY_MS;
/** After so long the preview and the manifest's entry go too. */
const KEEP_ENTRY_MS = 30 * DAY_MS;

/** Opens the room of photos: reads the manifest, clears what a crash left, and waits for a contact. */
export async function createPhotos(deps: PhotosDeps): Promise<PhotosRoom> {
  const { clock, facts, files, meter, network, reference, storage } = deps;
  const owed = await openOwed(storage);
  await removeOrphans(deps, owed);
  const nowMs = () => bestMs(clock, deps.anchor());
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  const lane = createPhotoLane(deps, owed, changed);
  await forgetOld(deps, owed, nowMs());
  const wake = () => lane.wake();
  const stops = [facts.onChange(wake), reference.onChange(wake), network.onChange(wake)];

  return {
    capture: async (input) => {
      const captured = await capturePhoto(deps, owed, input);
      if (captured.ok) lane.wake();
      return captured;
    },
    list: () => owed.list().map((record) => describe(record, lane)),
    preview: (id) => {
      const file = owed.find(id)?.preview?.file ?? null;
      return file === null ? Promise.resolve(undefined) : files.read(file);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    owed: () =>
      owed
        .list()
        .filter(({ original }) => original.state === "owed" || original.state === "lost")
        .slice(0, 1_000)
        .map(({ id, visit, preview, original }) => ({
          id,
          visit,
          sha256: original.sha256,
          bytes: original.bytes,
          preview: preview?.state === "at-hq",
          ...(original.state === "lost" ? { lost: true } : {}),
        })),
    queue: () => {
      const waiting = owed.list().filter(({ original }) => original.state === "owed");
      return {
        photos: waiting.length,
        bytes: waiting.reduce((sum, record) => sum + bytesLeft(record), 0),
        notComing: owed.list().filter(({ original: { state } }) => state === "refused" || state === "lost").length,
      };
    },
    budget: () => photoBudget(meter, photoPolicy(reference.current())),
    connected: ({ term }) => {
      offerAgain(owed, term);
      lane.connected(term);
    },
    measured: (bytes, tookMs) => lane.measured(bytes, tookMs),
    lost: () => lane.lost(),
    close: async () => {
      for (const stop of stops) stop();
      await lane.close();
    },
  };
}

/** A relay of another term may have lost what it verified: what is still here is offered again; it says what it has. */
function offerAgain(owed: Owed, term: string): void {
  for (const record of owed.list()) {
    for (const part of ["preview", "original"] as const) {
      const there = record[part];
      if (there?.state !== "at-hq" || there.file === null || there.term === term) continue;
      owed.change(record.id, part, { state: "owed", path: null, offset: 0, term: null });
    }
  }
}

async function forgetOld({ files }: PhotosDeps, owed: Owed, nowMs: number): Promise<void> {
  const gone: string[] = [];
  for (const record of owed.list()) {
    const { id, verifiedAt, original, preview } = record;
    if (original.state !== "at-hq" || verifiedAt === null) continue;
    const ageMs = nowMs - msFromUtc(verifiedAt);
    if (ageMs > KEEP_ENTRY_MS) {
      gone.push(...[original.file, preview?.file ?? null].filter((file) => file !== null));
      owed.remove(id);
    } else if (ageMs > KEEP_ORIGINAL_MS && original.file !== null) {
      gone.push(original.file);
      owed.change(id, "original", { file: null });
    }
  }
  // The manifest first: a file that it still names must never be missing.
  if (gone.length > 0 && (await owed.saved())) for (const file of gone) await files.remove(file);
}

function bytesLeft({ original, preview }: OwedRecord): number {
  const left = preview?.state === "owed" ? preview.bytes - preview.offset : 0;
  return left + original.bytes - original.offset;
}

function describe(record: OwedRecord, lane: PhotoLane): OwedPhoto {
  const { id, visit, original } = record;
  const state = stateOf(record, lane);
  const waitsFor = state === "waiting" || state === "preview-at-hq" ? lane.waitsFor(record, nextPart(record)) : null;
  const refusal = state === "refused" ? refusalOf(record) : null;
  return {
    id,
    visit,
    sha256: original.sha256,
    bytes: original.bytes,
    sentBytes: original.offset,
    state,
    waitsFor,
    refusal,
    reason: reasonOf(state, refusal, waitsFor),
  };
}

const nextPart = ({ preview }: OwedRecord) => (preview?.state === "owed" ? "preview" : "original");

function stateOf({ id, original, preview }: OwedRecord, lane: PhotoLane): PhotoState {
  if (original.state !== "owed") return original.state;
  if (lane.isSending(id)) return "sending";
  return preview?.state === "at-hq" ? "preview-at-hq" : "waiting";
}

const waits: Readonly<Record<PhotoWait, string>> = {
  event: "Waits until its visit's record is at HQ.",
  signal: "Waits for a signal.",
  wifi: "The full photo waits for Wi-Fi.",
  roaming: "Waits until you are off roaming.",
  budget: "Today's mobile data for photos is used up. It goes on with Wi-Fi, or tomorrow.",
  quota: "HQ takes no more photos from this phone today. It goes on tomorrow.",
  relay: "HQ cannot take it now. It is tried again by itself.",
};

/** Null also for a code that a newer version wrote. */
function refusalOf({ original: { refusal } }: OwedRecord): RefusalCode | null {
  return refusal !== null && refusal in refusals ? (refusal as RefusalCode) : null;
}

function reasonOf(state: PhotoState, refusal: RefusalCode | null, waitsFor: PhotoWait | null): string {
  if (state === "lost") return "The photo's file is gone or damaged on this phone. HQ is told that it will not come.";
  if (refusal !== null) return `HQ refused it: ${refusals[refusal].meaning}`;
  return waitsFor === null ? "" : waits[waitsFor];
}
