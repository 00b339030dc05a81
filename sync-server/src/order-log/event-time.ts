import { msFromUtc } from "@sampai/engine/core";
import type { Envelope } from "@sampai/engine";

/** What is known of the moment of one event. All times in milliseconds since 1970, ticks in milliseconds of their boot. */
export interface TimedEvent {
  /** As the phone gave it; NaN where that is no time. */
  readonly atMs: number;
  /** When the relay got it: it cannot have happened later. */
  readonly receivedMs: number;
  readonly clock: {
    readonly boot: string;
    readonly tickMs: number;
    readonly wallMs: number;
    /** The relay's time and the phone's tick, known together. */
    readonly anchor: { readonly tickMs: number; readonly atMs: number } | null;
  };
}

/** Between which moments an event must have happened, by everything that is known. Nothing is ever written over `at`. */
export interface EventTime {
  readonly earliestMs: number;
  readonly latestMs: number;
  /** `at` where it lies between the two, else the moment that the evidence speaks for. */
  readonly bestMs: number;
  /** `anchor`: the relay's time and ticks since. `ticks`: by other events of the same boot. `wall`: the phone's clock alone. */
  readonly evidence: "anchor" | "ticks" | "wall";
  /** How far the wall clock was moved since the event before in the same boot, in milliseconds; null: it was not. */
  readonly jumpMs: number | null;
  /** The evidence does not go together: a clock, or somebody, says what cannot be. */
  readonly contradicted: boolean;
}

/** A wall clock may be set by the network without anyone lying. */
export const CLOCK_TOLERANCE_MS = 120_000;
/** Quartz drifts by some 50 parts in a million; a hot phone by more. */
const DRIFT = 0.000_2;
/** The relay's time reached the phone this much later at the most: longer, and the phone gives the connection up. */
const ANCHOR_DELAY_MS = 60_000;
/** No phone of this product was made before. */
const FIRST_MS = Date.UTC(2020, 0, 1);

/**
 * Bounds the times of events of one run, in the order of their numbers. Each event gives bounds of its own: the relay
 * had it at `receivedMs`; an anchor in its boot says when it was, plus the ticks since. Between neighbours of one boot at
 * least the ticks have passed, and no more than ticks and wall clock can account for; across boots time only goes on.
 * Bounds are carried along the run in both directions. `notBeforeMs` bounds the first, such as the device's enrolment.
 */
export function boundTimes(events: readonly TimedEvent[], notBeforeMs = Number.NEGATIVE_INFINITY): EventTime[] {
  const own = events.map(ownBounds);
  const between = events.slice(1).map((event, index) => elapsed(events[index] as TimedEvent, event));
  const lower = own.map(({ lowerMs }) => Math.max(lowerMs, notBeforeMs));
  const upper = own.map(({ upperMs }) => upperMs);
  for (const [index, { leastMs, mostMs }] of between.entries()) {
    lower[index + 1] = Math.max(lower[index + 1] as number, (lower[index] as number) + leastMs);
    upper[index + 1] = Math.min(upper[index + 1] as number, (upper[index] as number) + mostMs);
  }
  for (const [index, { leastMs, mostMs }] of [...between.entries()].reverse()) {
    lower[index] = Math.max(lower[index] as number, (lower[index + 1] as number) - mostMs);
    upper[index] = Math.min(upper[index] as number, (upper[index + 1] as number) - leastMs);
  }
  const anchored = new Set(events.filter((_, index) => own[index]?.anchored).map(({ clock }) => clock.boot));
  return events.map((event, index) => {
    const low = lower[index] as number;
    const high = upper[index] as number;
    const before = between[index - 1];
    const isAnchored = own[index]?.anchored === true;
    const evidence = isAnchored ? "anchor" : anchored.has(event.clock.boot) ? "ticks" : "wall";
    // The relay's own clock is the last word: what came cannot have happened after it came.
    const latestMs = Math.min(Math.max(low, high), event.receivedMs);
    const earliestMs = Math.min(low, high, latestMs);
    return {
      earliestMs,
      latestMs,
      bestMs: best(event.atMs, earliestMs, latestMs, evidence),
      evidence,
      jumpMs: before?.jumpMs ?? null,
      contradicted: low > high || own[index]?.contradicted === true || before?.contradicted === true,
    };
  });
}

/**
 * When a fact happened by what it says itself, for figures by day, in milliseconds since 1970: as the phone says, unless
 * that lies after its arrival or before there were such phones; then the nearest moment that its evidence allows.
 */
export function captureMs(event: Envelope, received: string): number {
  return (boundTimes([timedEvent(event, received)])[0] as EventTime).bestMs;
}

export function timedEvent({ at, clock }: Pick<Envelope, "at" | "clock">, received: string): TimedEvent {
  const { boot, tick, wall, anchor } = clock;
  return {
    atMs: msFromUtc(at),
    receivedMs: msFromUtc(received),
    clock: {
      boot,
      tickMs: tick,
      wallMs: msFromUtc(wall),
      anchor: anchor === null ? null : { tickMs: anchor.tick, atMs: msFromUtc(anchor.at) },
    },
  };
}

function ownBounds({ receivedMs, clock }: TimedEvent) {
  const alone = { lowerMs: Number.NEGATIVE_INFINITY, upperMs: receivedMs, anchored: false, contradicted: false };
  if (clock.anchor === null) return alone;
  const sinceMs = clock.tickMs - clock.anchor.tickMs;
  const saidMs = clock.anchor.atMs + sinceMs;
  const lowerMs = clock.anchor.atMs + sinceMs * (1 - DRIFT);
  // An anchor from after the event, or a time that the relay had not reached, is none.
  if (!(sinceMs >= 0) || !(lowerMs <= receivedMs + CLOCK_TOLERANCE_MS)) return { ...alone, contradicted: true };
  // Where the wall clock says that more time has passed than the ticks counted, it may have.
  const slept = clock.wallMs > saidMs + CLOCK_TOLERANCE_MS && clock.wallMs <= receivedMs + CLOCK_TOLERANCE_MS;
  const upperMs = slept ? clock.wallMs + CLOCK_TOLERANCE_MS : saidMs + sinceMs * DRIFT + ANCHOR_DELAY_MS;
  return { lowerMs, upperMs: Math.min(upperMs, receivedMs), anchored: true, contradicted: false };
}

function elapsed(a: TimedEvent, b: TimedEvent) {
  const unknown = { leastMs: 0, mostMs: Number.POSITIVE_INFINITY, jumpMs: null, contradicted: false };
  if (a.clock.boot !== b.clock.boot) return unknown;
  const ticksMs = b.clock.tickMs - a.clock.tickMs;
  // No tick counts this far: sums of such would be no moments any more.
  if (!(ticksMs >= 0 && ticksMs <= Number.MAX_SAFE_INTEGER)) return { ...unknown, contradicted: true };
  const wallMs = b.clock.wallMs - a.clock.wallMs;
  const movedMs = wallMs - ticksMs;
  const jumpMs = Math.abs(movedMs) > CLOCK_TOLERANCE_MS ? Math.round(movedMs) : null;
  // Ticks may stand still while a phone sleeps; a wall clock that went on tells of it.
  const mostMs = Math.max(ticksMs, wallMs) * (1 + DRIFT);
  return { leastMs: ticksMs * (1 - DRIFT), mostMs, jumpMs, contradicted: false };
}

function best(atMs: number, earliestMs: number, latestMs: number, evidence: EventTime["evidence"]): number {
  if (atMs >= FIRST_MS && atMs >= earliestMs && atMs <= latestMs) return atMs;
  if (evidence === "wall" && !(atMs >= FIRST_MS)) return latestMs;
  return Math.round(atMs > latestMs || earliestMs === Number.NEGATIVE_INFINITY ? latestMs : earliestMs);
}
