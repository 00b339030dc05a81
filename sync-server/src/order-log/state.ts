import type { Tip } from "@sampai/engine/wire";
import type { Transaction } from "../database/operations.ts";
import type { AdmissionState, PlacedCandidate } from "./admit.ts";
import type { LeafFlag } from "./log.ts";

export interface DeviceState extends AdmissionState {
  wants(): string[];
  openHoles(): string[];
  /** Every placed event of this device that no placed event of it follows. */
  tips(): Tip[];
  /** Placed or held events of this device that lie neither on nor before one of the claimed tips. */
  notCoveredBy(claimed: readonly Tip[]): {
    run: string;
    seq: number;
    prev: string | null;
    bytes: Uint8Array;
    position: number | null;
  }[];
}

interface EventRow {
  run: string;
  seq: number;
  prev: string | null;
  hash: string;
  bytes: Uint8Array;
  position: number | null;
}

/** One device's part of the log, seen from inside the writer's transaction. */
export function createAdmissionState(
  tx: Transaction,
  device: string,
  term: string,
  contentOf: (bytes: Uint8Array) => { id: string | null; flags: readonly LeafFlag[] },
): DeviceState {
  const { now } = tx;
  const sql = (text: string) => tx.sql(text);
  const append = (leaf: {
    type: string;
    run: string;
    seq: number;
    hash: string;
    prev: string | null;
    id: string | null;
    flags: readonly LeafFlag[];
    bytes: Uint8Array;
  }): number => {
    const { head } = sql("select coalesce(max(position) + 1, 0) as head from log").get() as { head: number };
    sql(
      `insert into log (position, term, type, device, run, seq, hash, prev, id, received, flags, bytes)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      head,
      term,
      leaf.type,
      device,
      leaf.run,
      leaf.seq,
      leaf.hash,
      leaf.prev,
      leaf.id,
      now,
      JSON.stringify(leaf.flags),
      leaf.bytes,
    );
    return head;
  };
  const noLongerExpected = (hash: string) =>
    sql("delete from expected where device = ? and hash = ?").run(device, hash);
  // Follows nothing and is followed by nothing: the ends of this device's chains.
  const tips = () =>
    sql(
      `select run, seq, hash from log as leaf where device = ?1 and type = 'event'
         and not exists (select 1 from log as later where later.device = ?1 and later.type = 'event' and later.prev = leaf.hash)`,
    ).all(device) as unknown as Tip[];
  const heldTips = () =>
    sql(
      `select run, seq, hash from held as leaf where device = ?1
         and not exists (select 1 from held as later where later.device = ?1 and later.want = leaf.hash)`,
    ).all(device) as unknown as Tip[];
  return {
    positionOf: (hash) =>
      (
        sql("select position from log where device = ? and hash = ? and type = 'event'").get(device, hash) as
          | { position: number }
          | undefined
      )?.position,
    isHole: (hash) =>
      sql("select 1 from hole where device = ? and hash = ? and filled is null").get(device, hash) !== undefined,
    isHeld: (hash) => sql("select 1 from held where device = ? and hash = ?").get(device, hash) !== undefined,
    hasOther: ({ run, seq, hash }) =>
      sql("select 1 from log where device = ? and run = ? and seq = ? and type = 'event' and hash <> ?").get(
        device,
        run,
        seq,
        hash,
      ) !== undefined,
    place: (event, placeFlags) => {
      const content = contentOf(event.bytes);
      const reused = content.id !== null && sql("select 1 from log where id = ? limit 1").get(content.id) !== undefined;
      const flags: LeafFlag[] = [...placeFlags, ...content.flags, ...(reused ? (["id-reused"] as const) : [])];
      const position = append({ type: "event", ...event, id: content.id, flags });
      noLongerExpected(event.hash);
      return position;
    },
    fillHole: (hash) => {
      sql("update hole set filled = ? where device = ? and hash = ?").run(now, device, hash);
    },
    hold: ({ run, seq, hash, bytes }, want) => {
      sql(
        "insert or ignore into held (device, hash, want, run, seq, bytes, received) values (?, ?, ?, ?, ?, ?, ?)",
      ).run(device, hash, want, run, seq, bytes, now);
    },
    takeHeldOn: (want) => {
      const rows = sql(
        "select run, seq, want as prev, hash, bytes from held where device = ? and want = ? order by run, seq, hash",
      ).all(device, want) as unknown as PlacedCandidate[];
      sql("delete from held where device = ? and want = ?").run(device, want);
      return rows;
    },
    quarantine: ({ run, seq, hash, bytes }, code) => {
      sql(
        "insert or ignore into quarantine (device, hash, code, run, seq, bytes, received) values (?, ?, ?, ?, ?, ?, ?)",
      ).run(device, hash, code, run, seq, bytes, now);
    },
    placeHole: ({ run, seq, hash }) => {
      sql("insert into hole (device, hash, run, seq, filled) values (?, ?, ?, ?, null)").run(device, hash, run, seq);
      append({ type: "hole", run, seq, hash, prev: null, id: null, flags: [], bytes: new Uint8Array() });
      noLongerExpected(hash);
    },
    wants: () =>
      (
        sql(
          `select hash from (
               select want as hash from held where device = ?1
               union select hash from expected where device = ?1)
             where hash not in (select hash from held where device = ?1)
               and hash not in (select hash from hole where device = ?1)
               and hash not in (select hash from log where device = ?1 and type = 'event')
               and hash not in (select hash from quarantine where device = ?1)`,
        ).all(device) as { hash: string }[]
      ).map(({ hash }) => hash),
    openHoles: () =>
      (sql("select hash from hole where device = ? and filled is null").all(device) as { hash: string }[]).map(
        ({ hash }) => hash,
      ),
    tips,
    notCoveredBy: (claimed) => {
      const names = new Set(claimed.map(({ hash }) => hash));
      const open = [...tips(), ...heldTips()].some(({ hash }) => !names.has(hash));
      if (!open) return [];
      const rows = sql(
        `select run, seq, prev, hash, bytes, position from log where device = ?1 and type = 'event'
           union all select run, seq, want, hash, bytes, null from held where device = ?1`,
      ).all(device) as unknown as EventRow[];
      const byHash = new Map(rows.map((row) => [row.hash, row]));
      const covered = new Set<string>();
      for (const tip of claimed) {
        for (let row = byHash.get(tip.hash); row !== undefined && !covered.has(row.hash);) {
          covered.add(row.hash);
          row = row.prev === null ? undefined : byHash.get(row.prev);
        }
      }
      return rows
        .filter((row) => !covered.has(row.hash))
        .map(({ run, seq, prev, bytes, position }) => ({ run, seq, prev, bytes, position }));
    },
  };
}

/** Tips that the relay does not hold are expected from now on: a union, never an overwrite. */
export function expectTips(tx: Transaction, device: string, tips: readonly Tip[]): void {
  const insert = tx.sql(
    `insert or ignore into expected (device, hash, run, seq)
     select ?1, ?2, ?3, ?4
     where not exists (select 1 from log where device = ?1 and hash = ?2 and type = 'event')
       and not exists (select 1 from hole where device = ?1 and hash = ?2)`,
  );
  for (const tip of tips) insert.run(device, tip.hash, tip.run, tip.seq);
}
