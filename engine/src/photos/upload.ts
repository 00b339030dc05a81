import { sha256Hex } from "../core/hash.ts";
import { bestMs, utcFromMs } from "../core/clock.ts";
import { unreachable } from "../core/assert.ts";
import type { Attempt } from "../wire/index.ts";
import type { PhotoPart, PhotoTransfer, PhotoTransferEnd } from "./channel.ts";
import type { Owed, OwedPart, OwedRecord } from "./owed.ts";
import { createPace } from "./pace.ts";
import { createPauses } from "./pauses.ts";
import { photoPolicy } from "./photo-policy.ts";
import type { PhotosDeps, PhotoWait } from "./photos.ts";
import { refusalPlan } from "./refusal-plan.ts";
import { fitsBudget, photoBudget } from "./spending.ts";

/** A piece without an answer for so long makes the link doubtful, although nobody said that it was lost. */
const DOUBT_MS = 10_000;
/** After so long it is given up; the upload goes on from what the relay holds. */
const ANSWER_MS = 30_000;
/** What a request and its answer cost beside the piece, for the budget's sake. */
const AROUND_BYTES = 700;
/** How far the manifest may lag behind the relay: it only shows progress, as the relay is asked before going on. */
const NOTED_BYTES = 65_536;

export interface PhotoLane {
  /** A frame of `bytes` on the same link was answered after `tookMs`. */
  measured(bytes: number, tookMs: number): void;
  connected(term: string): void;
  lost(): void;
  /** Something changed that a photo may have waited for. */
  wake(): void;
  isSending(id: string): boolean;
  /** What this part waits for, null where it may go now. */
  waitsFor(record: OwedRecord, part: PhotoPart): PhotoWait | null;
  close(): Promise<void>;
}

interface Job {
  readonly id: string;
  readonly part: PhotoPart;
  stopped: boolean;
  transfer: PhotoTransfer | null;
  done: Promise<void>;
}

type LaneDeps = Pick<
  PhotosDeps,
  | "clock"
  | "random"
  | "files"
  | "facts"
  | "reference"
  | "channel"
  | "network"
  | "lanes"
  | "meter"
  | "anchor"
  | "attempt"
  | "doubt"
>;

/**
 * The photos lane: all previews, then all originals, oldest first, as many at a time as the link bears, each in pieces,
 * each piece only when no fact and no document waits.
 */
export function createPhotoLane(deps: LaneDeps, owed: Owed, changed: () => void): PhotoLane {
  const { clock, files, facts, reference, channel, network, lanes, meter } = deps;
  const pace = createPace();
  const jobs = new Map<string, Job>();
  const pauses = createPauses(deps);
  let onLinkBytes = 0;
  /** Bytes that the relay acknowledged since the start, of all uploads. */
  let deliveredBytes = 0;
  let term: string | null = null;
  let lostTick = Number.NEGATIVE_INFINITY;
  let closed = false;
  let cancelTimer: () => void = () => undefined;

  const key = (id: string, part: PhotoPart) => `${part}/${id}`;

  const held = (part: PhotoPart, bytes: number): PhotoWait | null => {
    const kind = network.kind();
    const policy = photoPolicy(reference.current());
    if (term === null || closed) return "signal";
    if (kind === "roaming") return "roaming";
    if (kind === "mobile" && part === "original" && policy.originalsOnWifiOnly) return "wifi";
    const budget = photoBudget(meter, policy);
    return fitsBudget(budget, kind, part, onLinkBytes + bytes + AROUND_BYTES) ? null : "budget";
  };
  const waitsFor = (record: OwedRecord, part: PhotoPart): PhotoWait | null => {
    const fact = facts.find(record.id);
    if (fact !== undefined && fact.state !== "at-hq") return "event";
    const file = record[part];
    const nextBytes = pace.pieceBytes(part, file === null ? 0 : file.bytes - file.offset, false);
    return held(part, nextBytes) ?? pauses.waitsFor(key(record.id, part));
  };

  const next = (): { record: OwedRecord; part: PhotoPart } | undefined => {
    for (const part of ["preview", "original"] as const) {
      const record = owed
        .list()
        .find(
          (candidate) =>
            candidate[part]?.state === "owed" &&
            !jobs.has(key(candidate.id, part)) &&
            waitsFor(candidate, part) === null,
        );
      if (record !== undefined) return { record, part };
    }
    return undefined;
  };

  const pump = () => {
    for (;;) {
      const found = next();
      if (found === undefined || jobs.size >= pace.inFlight(found.part)) break;
      start(found.record, found.part);
    }
    lanes.waiting("photos", jobs.size > 0);
    cancelTimer();
    const wakeMs = pauses.nextEndMs();
    if (wakeMs !== null && term !== null && !closed) cancelTimer = clock.after(wakeMs + 1, pump);
    changed();
  };

  const start = ({ id }: OwedRecord, part: PhotoPart) => {
    const job: Job = { id, part, stopped: false, transfer: null, done: Promise.resolve() };
    jobs.set(key(id, part), job);
    job.done = run(job).finally(() => {
      jobs.delete(key(id, part));
      pump();
    });
  };

  const run = async (job: Job): Promise<void> => {
    const { id, part } = job;
    const file = owed.find(id)?.[part];
    if (file === undefined || file === null) return;
    const bytes = file.file === null ? undefined : await files.read(file.file).catch(() => undefined);
    if (bytes === undefined || bytes.length !== file.bytes || sha256Hex(bytes) !== file.sha256) {
      owed.change(id, part, { state: "lost" });
      await owed.saved();
      return;
    }
    if (job.stopped) return;
    const startedTick = clock.tickMs();
    const tally = { spent: 0 };
    job.transfer = send(job, file, bytes, tally);
    const end = await job.transfer.ended;
    settle(job, end);
    note(job, end, tally.spent, startedTick);
    await owed.saved();
  };

  const send = (job: Job, file: OwedPart, bytes: Uint8Array, tally: { spent: number }): PhotoTransfer => {
    const { id, part } = job;
    let acknowledged = file.offset;
    let noted = file.offset;
    let entered = { tick: clock.tickMs(), deliveredBytes };
    const nextBytes = () => pace.pieceBytes(part, bytes.length - acknowledged, jobs.size === 1 && next() === undefined);
    let urlSaved: Promise<boolean> = Promise.resolve(true);
    return channel.send({
      bytes,
      metadata: { photo: id, part, sha256: file.sha256 },
      path: file.path,
      pieceBytes: () => Math.max(1, nextBytes()),
      enter: async () => {
        await urlSaved;
        if (job.stopped) return null;
        const release = await lanes.enter("photos");
        const pieceBytes = nextBytes();
        if (job.stopped || held(part, pieceBytes) !== null) {
          release();
          return null;
        }
        entered = { tick: clock.tickMs(), deliveredBytes };
        onLinkBytes += pieceBytes + AROUND_BYTES;
        const cancelDoubt = clock.after(DOUBT_MS, () => deps.doubt());
        const cancelStop = clock.after(ANSWER_MS, () => job.transfer?.stop());
        return () => {
          cancelDoubt();
          cancelStop();
          onLinkBytes -= pieceBytes + AROUND_BYTES;
          release();
        };
      },
      created: (path) => {
        owed.change(id, part, { path, offset: 0 });
        acknowledged = 0;
        // The next piece waits for this: after a kill the upload must go on, not begin anew.
        urlSaved = owed.saved();
      },
      resumed: (offset) => {
        acknowledged = offset;
        owed.change(id, part, { offset });
      },
      acknowledged: (offset) => {
        if (offset > acknowledged) {
          deliveredBytes += offset - acknowledged;
          pace.acknowledged(deliveredBytes - entered.deliveredBytes, clock.tickMs() - entered.tick);
          pauses.succeeded(key(id, part));
        }
        acknowledged = offset;
        owed.change(id, part, { offset });
        if (offset - noted >= NOTED_BYTES) {
          noted = offset;
          void owed.saved();
        }
        changed();
      },
      spent: (sentBytes, receivedBytes) => {
        tally.spent += sentBytes;
        meter.sent("photos", sentBytes);
        meter.received("photos", receivedBytes);
      },
    });
  };

  const settle = (job: Job, end: PhotoTransferEnd): void => {
    const { id, part } = job;
    switch (end.end) {
      case "complete":
        arrived(id, part);
        return;
      case "gone":
        owed.change(id, part, { path: null, offset: 0 });
        pauses.failed(key(id, part), "relay");
        return;
      case "lost":
        pauses.failed(key(id, part), "signal");
        return;
      case "stopped":
        if (!job.stopped && held(part, 1) === null) pauses.failed(key(id, part), "signal");
        return;
      case "refused":
        refused(job, end);
        return;
      default:
        unreachable(end);
    }
  };

  const arrived = (id: string, part: PhotoPart) => {
    const record = owed.find(id);
    const there = { state: "at-hq", term, path: null, refusal: null } as const;
    owed.change(id, part, { ...there, offset: record?.[part]?.bytes ?? 0 });
    pauses.succeeded(key(id, part));
    if (part === "preview") return;
    owed.verified(id, utcFromMs(bestMs(clock, deps.anchor())));
    // The relay makes a preview of an original that came without one.
    if (record?.preview?.state === "owed") owed.change(id, "preview", there);
  };

  const refused = (job: Job, end: Extract<PhotoTransferEnd, { end: "refused" }>) => {
    const { id, part } = job;
    const plan = refusalPlan(end.refusal, end.retryAfterMs);
    switch (plan.plan) {
      case "at-hq":
        arrived(id, part);
        return;
      case "never":
        owed.change(id, part, { state: "refused", refusal: end.refusal.code, path: null });
        return;
      case "again":
        owed.change(id, part, { path: null, offset: 0 });
        pauses.failed(key(id, part), "relay");
        return;
      case "stop":
        term = null;
        return;
      case "wait":
        if (plan.lane) pauses.pauseAll(plan.waitsFor, plan.delayMs);
        else pauses.pause(key(id, part), plan.waitsFor, plan.delayMs);
        return;
      default:
        unreachable(plan);
    }
  };

  const note = (job: Job, end: PhotoTransferEnd, bytes: number, startedTick: number) => {
    const outcomes: Record<PhotoTransferEnd["end"], Attempt["outcome"]> = {
      complete: "acknowledged",
      gone: "refused",
      refused: "refused",
      lost: "lost",
      stopped: "lost",
    };
    const tookMs = Math.max(0, clock.tickMs() - startedTick);
    deps.attempt({
      at: utcFromMs(bestMs(clock, deps.anchor()) - Math.round(tookMs)),
      lane: "photos",
      item: job.id,
      bytes,
      outcome: outcomes[end.end],
      ...(end.end === "refused" ? { code: end.refusal.code } : {}),
      tookMs,
    });
  };

  const stop = (job: Job) => {
    job.stopped = true;
    job.transfer?.stop();
  };

  return {
    measured: (bytes, tookMs) => pace.guess(bytes, tookMs),
    connected: (newTerm) => {
      term = newTerm;
      pace.contact(clock.tickMs() - lostTick);
      pauses.contact();
      pump();
    },
    lost: () => {
      term = null;
      lostTick = clock.tickMs();
      for (const job of jobs.values()) stop(job);
      pump();
    },
    wake: () => {
      for (const job of jobs.values()) if (held(job.part, 1) !== null) stop(job);
      pump();
    },
    isSending: (id) => [...jobs.values()].some((job) => job.id === id && job.transfer !== null && !job.stopped),
    waitsFor,
    close: async () => {
      closed = true;
      cancelTimer();
      for (const job of jobs.values()) stop(job);
      await Promise.all([...jobs.values()].map(({ done }) => done));
      cancelTimer();
      lanes.waiting("photos", false);
      await owed.saved();
    },
  };
}
