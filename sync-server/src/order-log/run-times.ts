import { msFromUtc } from "@sampai/engine/core";
import { readEvent } from "@sampai/engine";
import type { Sql } from "../database/sql.ts";
import { boundTimes, timedEvent, type EventTime } from "./event-time.ts";

/** Neighbours in the run that are asked for evidence, on either side. */
const NEIGHBOURS = 100;

/**
 * The bounded times of a stretch of one run, by seq, with the evidence of its neighbours. Events that nobody can read,
 * or whose bytes have expired, are left out.
 */
export function timesOfRun(
  sql: Sql,
  stretch: { readonly device: string; readonly run: string; readonly from: number; readonly to: number },
): ReadonlyMap<number, EventTime> {
  const { device, run, from, to } = stretch;
  const enrolled = sql("select enrolled from device where device = ?").get(device) as { enrolled: string } | undefined;
  const rows = sql(
    `select seq, received, bytes from log
       where device = ? and run = ? and seq between ? and ? and type = 'event' order by seq, position`,
  ).all(device, run, from - NEIGHBOURS, to + NEIGHBOURS) as unknown as {
    seq: number;
    received: string;
    bytes: Uint8Array;
  }[];
  const read = rows.flatMap(({ seq, received, bytes }) => {
    const event = readEvent(bytes);
    return event.ok ? [{ seq, timed: timedEvent(event.value, received) }] : [];
  });
  const times = boundTimes(
    read.map(({ timed }) => timed),
    enrolled === undefined ? undefined : msFromUtc(enrolled.enrolled),
  );
  return new Map(read.map(({ seq }, index) => [seq, times[index] as EventTime]));
}
