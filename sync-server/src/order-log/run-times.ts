import { readEvent } from "@sampai/engine";
import { msFromUtc, utcFromMs } from "@sampai/engine/core";
import type { Sql } from "../database/sql.ts";
import { boundTimes, timedEvent, type EventTime } from "./event-time.ts";

/** Neighbours in the run that are asked for evidence, on either side. */
const NEIGHBOURS = 20;

interface Placed {
  readonly device: string;
  readonly run: string;
  readonly seq: number;
}

/**
 * The bounded times of events, by hash, with the evidence of their neighbours in their runs. Events that nobody can
 * read, or whose bytes have expired, are left out.
 */
export function timesOf(sql: Sql, events: readonly Placed[]): ReadonlyMap<string, EventTime> {
  const times = new Map<string, EventTime>();
  const runs = Map.groupBy(events, ({ device, run }) => `${device} ${run}`);
  for (const stretch of runs.values()) {
    const { device, run } = stretch[0] as Placed;
    const seqs = stretch.map(({ seq }) => seq);
    const from = seqs.reduce((least, seq) => Math.min(least, seq)) - NEIGHBOURS;
    const to = seqs.reduce((most, seq) => Math.max(most, seq)) + NEIGHBOURS;
    for (const [hash, time] of timesOfStretch(sql, device, run, from, to)) times.set(hash, time);
  }
  return times;
}

function timesOfStretch(sql: Sql, device: string, run: string, from: number, to: number): [string, EventTime][] {
  const enrolled = sql("select enrolled from device where device = ?").get(device) as { enrolled: string } | undefined;
  const rows = sql(
    `select hash, received, bytes from log
       where device = ? and run = ? and seq between ? and ? and type = 'event' order by seq, position`,
  ).all(device, run, from, to) as unknown as { hash: string; received: string; bytes: Uint8Array }[];
  const read = rows.flatMap(({ hash, received, bytes }) => {
    const event = readEvent(bytes);
    return event.ok ? [{ hash, timed: timedEvent(event.value, received) }] : [];
  });
  const times = boundTimes(
    read.map(({ timed }) => timed),
    enrolled === undefined ? undefined : msFromUtc(enrolled.enrolled),
  );
  return read.map(({ hash }, index) => [hash, times[index] as EventTime]);
}

/** A bounded time as the relay publishes it: RFC 3339 UTC; `earliest` is null where nothing bounds it. */
export interface PublishedTime {
  readonly earliest: string | null;
  readonly latest: string;
  readonly best: string;
  readonly evidence: EventTime["evidence"];
  /** Milliseconds by which the wall clock was moved since the event before, null where it was not. */
  readonly jumpMs: number | null;
  readonly contradicted: boolean;
}

export function publishedTime(time: EventTime): PublishedTime {
  const { earliestMs, latestMs, bestMs, evidence, jumpMs, contradicted } = time;
  const utc = (ms: number) => utcFromMs(Math.round(ms));
  return {
    earliest: Number.isFinite(earliestMs) ? utc(earliestMs) : null,
    latest: utc(latestMs),
    best: utc(bestMs),
    evidence,
    jumpMs,
    contradicted,
  };
}
