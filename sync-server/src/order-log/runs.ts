import type { DatabaseSync } from "node:sqlite";

/** One start of a device's capturing process, as the log has it. */
export interface DeviceRun {
  readonly run: string;
  readonly events: number;
  readonly first: number;
  readonly last: number;
  /** The event that its first one follows; null for a device's first run. */
  readonly follows: { readonly run: string; readonly seq: number; readonly position: number } | null;
  /** It parts from another run here: `fork` before its first event, `branch` at these numbers inside it. */
  readonly fork: boolean;
  readonly branches: readonly number[];
}

/** Every run of a device, in the order in which they came. Two that part show a copied phone, or one that was restored. */
export function runsOf(db: DatabaseSync, device: string): DeviceRun[] {
  const runs = db
    .prepare(
      `select run, count(*) as events, min(position) as first, max(position) as last from log
         where device = ? and type = 'event' group by run order by first`,
    )
    .all(device) as { run: string; events: number; first: number; last: number }[];
  const marked = db.prepare(
    `select seq, prev, flags from log where device = ? and run = ? and type = 'event'
       and (seq = 1 or flags like '%"branch"%') order by position`,
  );
  const placed = db.prepare(
    "select run, seq, position from log where device = ? and hash = ? and type = 'event' order by position limit 1",
  );
  return runs.map((row) => {
    const marks = (marked.all(device, row.run) as { seq: number; prev: string | null; flags: string }[]).map(
      ({ flags, ...rest }) => ({ ...rest, flags: JSON.parse(flags) as string[] }),
    );
    const begin = marks.find(({ seq }) => seq === 1);
    const before = begin?.prev ?? null;
    return {
      ...row,
      follows: before === null ? null : ((placed.get(device, before) as DeviceRun["follows"] | undefined) ?? null),
      fork: begin?.flags.includes("fork") ?? false,
      branches: marks.filter(({ flags }) => flags.includes("branch")).map(({ seq }) => seq),
    };
  });
}
