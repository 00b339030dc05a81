import type { Transaction } from "../database/transaction.ts";
import type { AdmissionState, PlacedCandidate } from "./admit.ts";
import { contentOf, type Content } from "./content.ts";
import { noteClose } from "./day-closes.ts";
import { appendLeaf } from "./leaves.ts";
import type { LeafFlag } from "./log.ts";

export interface DeviceState extends AdmissionState {
  /** Events held because of a gap. */
  heldCount(): number;
  contentOf(event: PlacedCandidate): Content;
}

/**
 * One device's part of the log, seen from inside the writer's transaction, pending rows included. Every placed event
 * leaves its row in the trail, also one that waited behind a gap; `via` says what brought the batch.
 */
export function createAdmissionState(
  tx: Transaction,
  device: string,
  term: string,
  batch: { readonly via: string; readonly hashes: ReadonlySet<string> },
): DeviceState {
  const { now } = tx;
  const sql = (text: string) => tx.sql(text);
  const contents = new Map<string, Content>();
  const content = (event: PlacedCandidate): Content => {
    const known = contents.get(event.hash) ?? contentOf(device, event);
    contents.set(event.hash, known);
    return known;
  };
  const held = () =>
    tx.remember(`held by ${device}`, () => ({
      count: (sql("select count(*) as count from held where device = ?").get(device) as { count: number }).count,
    }));
  const noLongerExpected = (hash: string) =>
    sql("delete from expected where device = ? and hash = ?").run(device, hash);

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
      const { id, kind, flags: contentFlags, close } = content(event);
      const reused = id !== null && sql("select 1 from log where id = ? limit 1").get(id) !== undefined;
      const { run, seq, prev, hash } = event;
      const forks =
        seq === 1 &&
        prev !== null &&
        sql("select 1 from log where device = ? and prev = ? and type = 'event' limit 1").get(device, prev) !==
          undefined;
      const flags: LeafFlag[] = [
        ...placeFlags,
        ...(forks ? (["fork"] as const) : []),
        ...contentFlags,
        ...(reused ? (["id-reused"] as const) : []),
      ];
      const position = appendLeaf(tx, term, { ...event, type: "event", device, id, flags });
      noLongerExpected(hash);
      moveTip(tx, device, event);
      if (close !== null) noteClose(tx, { device, run, seq, hash, position, close });
      tx.note({
        topic: "admission",
        device,
        item: id ?? hash,
        detail: {
          answer: flags.includes("branch") ? "branch" : "placed",
          position,
          run,
          seq,
          via: batch.hashes.has(hash) ? batch.via : "release",
          ...(kind === null ? {} : { kind }),
          ...(flags.length === 0 ? {} : { flags }),
        },
      });
      return position;
    },
    fillHole: (hash) => {
      sql("update hole set filled = ? where device = ? and hash = ?").run(now, device, hash);
    },
    hold: ({ run, seq, hash, bytes, signature }, want) => {
      held().count += 1;
      sql(
        `insert into held (device, hash, want, run, seq, bytes, signature, received)
           values (?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(device, hash, want, run, seq, bytes, signature ?? null, now);
    },
    takeHeldOn: (want) => {
      const rows = sql(
        `select run, seq, want as prev, hash, bytes, signature from held
           where device = ? and want = ? order by run, seq, hash`,
      ).all(device, want) as unknown as PlacedCandidate[];
      if (rows.length === 0) return rows;
      sql("delete from held where device = ? and want = ?").run(device, want);
      held().count -= rows.length;
      return rows;
    },
    quarantine: ({ run, seq, prev, hash, bytes, signature }, code) => {
      sql(
        `insert or ignore into quarantine (device, hash, prev, code, run, seq, bytes, signature, received)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(device, hash, prev, code, run, seq, bytes, signature ?? null, now);
    },
    placeHole: ({ run, seq, hash }) => {
      sql("insert into hole (device, hash, run, seq, filled) values (?, ?, ?, ?, null)").run(device, hash, run, seq);
      const nothing = { prev: null, id: null, flags: [], bytes: new Uint8Array() };
      appendLeaf(tx, term, { type: "hole", device, run, seq, hash, ...nothing });
      noLongerExpected(hash);
    },
    heldCount: () => held().count,
    contentOf: content,
  };
}

// The event that it follows is an end no more; it is one itself, unless its follower came first (over a declared hole).
function moveTip(tx: Transaction, device: string, { run, seq, prev, hash }: PlacedCandidate): void {
  if (prev !== null) tx.sql("delete from tip where device = ? and hash = ?").run(device, prev);
  tx.sql(
    `insert into tip (device, hash, run, seq) select ?1, ?2, ?3, ?4
       where not exists (select 1 from log where device = ?1 and prev = ?2 and type = 'event')`,
  ).run(device, hash, run, seq);
}
