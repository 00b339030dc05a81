import { readEvent } from "@sampai/engine/events";
import type { EventRange } from "@sampai/engine/wire";
import type { Sql } from "../database/sql.ts";
import { rangesOf } from "./event-ranges.ts";

interface Place {
  readonly run: string;
  readonly seq: number;
}

/**
 * What a device has said it holds and the relay does not: the stretches of its runs up to each announced end, and up to
 * each event that waits here for one before it.
 */
export function missingOf(
  sql: Sql,
  device: string,
): { readonly missing: readonly EventRange[]; readonly held: number } {
  const announced = sql(
    `select run, seq from expected where device = ?1
       and not exists (select 1 from held where device = ?1 and hash = expected.hash)
       and not exists (select 1 from hole where device = ?1 and hash = expected.hash)
       and not exists (select 1 from quarantine where device = ?1 and hash = expected.hash)`,
  ).all(device) as unknown as Place[];
  const held = sql(
    `select run, seq, bytes, exists (select 1 from held as before where before.device = ?1 and before.hash = held.want) as behind
       from held where device = ?1`,
  ).all(device) as unknown as (Place & { bytes: Uint8Array; behind: number })[];
  const wanted = held.filter(({ behind }) => behind === 0).flatMap((event) => predecessorOf(event));
  const below = sql(
    `select max(seq) as seq from (
       select seq from log where device = ?1 and run = ?2 and seq < ?3 and type in ('event', 'hole')
       union all select seq from held where device = ?1 and run = ?2 and seq < ?3)`,
  );
  const ranges = [...announced, ...wanted].map(({ run, seq }) => {
    const { seq: known } = below.get(device, run, seq) as { seq: number | null };
    return { run, from: (known ?? 0) + 1, to: seq };
  });
  return { missing: rangesOf(device, ranges), held: held.length };
}

/** Where the event sits that this one waits for: before it in its run, or at the end of the run before. */
function predecessorOf({ run, seq, bytes }: Place & { bytes: Uint8Array }): Place[] {
  if (seq > 1) return [{ run, seq: seq - 1 }];
  const read = readEvent(bytes);
  const parent = read.ok ? read.value.parent : null;
  return parent === null || parent === undefined ? [] : [{ run: parent.run, seq: parent.seq }];
}
