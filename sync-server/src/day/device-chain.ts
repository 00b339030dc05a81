import type { Sql } from "../database/sql.ts";
import type { LeafType } from "../order-log/log.ts";

/** One step of a device's chain: an event, or the hole in the place of one. */
export interface Link {
  readonly position: number;
  readonly type: LeafType;
  readonly run: string;
  readonly seq: number;
  readonly hash: string;
  readonly prev: string | null;
  /** Offline id. */
  readonly id: string | null;
  readonly received: string;
  readonly bytes: Uint8Array;
}

const columns = "position, type, run, seq, hash, prev, id, received, bytes";

/** The event or hole with this hash, in the log. */
export function linkOf(sql: Sql, device: string, hash: string): Link | undefined {
  const event = sql(`select ${columns} from log where device = ? and hash = ? and type = 'event'`).get(device, hash);
  if (event !== undefined) return event as unknown as Link;
  const hole = sql("select run, seq from hole where device = ? and hash = ?").get(device, hash) as
    | { run: string; seq: number }
    | undefined;
  if (hole === undefined) return undefined;
  return sql(`select ${columns} from log where device = ? and run = ? and seq = ? and hash = ? and type = 'hole'`).get(
    device,
    hole.run,
    hole.seq,
    hash,
  ) as Link | undefined;
}

/** The chain from an event back, the event first, up to the device's beginning. */
export function* chainBack(sql: Sql, device: string, hash: string): Generator<Link> {
  let link = linkOf(sql, device, hash);
  while (link !== undefined) {
    yield link;
    link = before(sql, device, link);
  }
}

// A hole does not say what it follows: that is the number before it, or whatever the device had placed before.
function before(sql: Sql, device: string, link: Link): Link | undefined {
  if (link.type !== "hole") return link.prev === null ? undefined : linkOf(sql, device, link.prev);
  const { run, seq, position } = link;
  const sibling =
    seq === 1
      ? undefined
      : sql(
          `select ${columns} from log where device = ? and run = ? and seq = ? and type in ('event', 'hole')
             order by position limit 1`,
        ).get(device, run, seq - 1);
  return (sibling ??
    sql(
      // The plus keeps the planner on the positions: the row is near, the device's other rows are many.
      `select ${columns} from log where +device = ? and position < ? and run <> ? and type = 'event'
         order by position desc limit 1`,
    ).get(device, position, run)) as Link | undefined;
}
