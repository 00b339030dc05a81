import { assert } from "@sampai/engine/core";
import type { Tip } from "@sampai/engine/wire";
import type { Transaction } from "../database/transaction.ts";
import type { PlacedCandidate } from "./admit.ts";
import { deviceMemory, noteLast } from "./device-memory.ts";
import { appendLeaf, currentTerm, headOf } from "./leaves.ts";
import { sqliteTerms } from "./sqlite-terms.ts";
import { openHolesOf, tipsOf, wantsOf } from "./standing.ts";
import type { DeviceLog, LogTransaction, PlacedClose, StoredEvent } from "./log-transaction.ts";

/** The order log inside the writer's transaction, pending rows included. */
export function sqliteTransaction(tx: Transaction): LogTransaction {
  let term: string | null = null;
  const terms = sqliteTerms({ sql: (text) => tx.sql(text), now: tx.now });
  const current = () => (term ??= currentTerm(tx));
  return {
    now: tx.now,
    get term() {
      return current();
    },
    terms: {
      ...terms,
      begin: (next) => {
        terms.begin(next);
        term = next;
      },
    },
    head: () => headOf(tx),
    termAt: (position) => (tx.sql("select term from log where position = ?").get(position) as { term: string }).term,
    hasId: (id) => tx.sql("select 1 from log where id = ? limit 1").get(id) !== undefined,
    device: (device) => deviceLog(tx, current, device),
    appendOwn: (leaf) => appendLeaf(tx, current(), { ...leaf, device: "", prev: null, id: null, flags: [] }),
    takeQuarantined: () => takeQuarantined(tx),
    note: (row) => tx.note(row),
    noteClose: (placed) => noteClose(tx, placed),
  };
}

function deviceLog(tx: Transaction, term: () => string, device: string): DeviceLog {
  const { now } = tx;
  const sql = (text: string) => tx.sql(text);
  const memory = () => deviceMemory(tx, device);
  const expectNoLonger = (hash: string) => {
    if (memory().expected === 0) return;
    memory().expected -= Number(sql("delete from expected where device = ? and hash = ?").run(device, hash).changes);
  };
  const storedPosition = (hash: string) =>
    (
      sql("select position from log where device = ? and hash = ? and type = 'event'").get(device, hash) as
        | { position: number }
        | undefined
    )?.position;
  const storedPlace = (hash: string) =>
    sql("select run, seq from log where device = ? and hash = ? and type = 'event'").get(device, hash) as
      | { run: string; seq: number }
      | undefined;
  return {
    device,
    mayWrite: () => sql("select 1 from device where device = ? and revoked is null").get(device) !== undefined,
    positionOf: (hash) => {
      const { last } = memory();
      return last?.hash === hash ? last.position : storedPosition(hash);
    },
    isHole: (hash) =>
      memory().holes > 0 &&
      sql("select 1 from hole where device = ? and hash = ? and filled is null").get(device, hash) !== undefined,
    isHeld: (hash) =>
      memory().held > 0 && sql("select 1 from held where device = ? and hash = ?").get(device, hash) !== undefined,
    hasOther: ({ run, seq, hash }) => {
      const { last } = memory();
      if (last?.run === run && seq > last.top) return false;
      const other = sql("select 1 from log where device = ? and run = ? and seq = ? and type = 'event' and hash <> ?");
      return other.get(device, run, seq, hash) !== undefined;
    },
    // A placed event that is no tip is followed by one; of a hole that is noted.
    isFollowed: (hash) => {
      if (isFollowedHole(tx, device, hash)) return true;
      if (storedPosition(hash) === undefined) return false;
      return sql("select 1 from tip where device = ? and hash = ?").get(device, hash) === undefined;
    },
    numbersOn: ({ run, seq, prev }) => {
      if (seq === 1 || prev === null) return true;
      const { last } = memory();
      const before = last?.hash === prev ? last : storedPlace(prev);
      return before === undefined || (before.run === run && before.seq === seq - 1);
    },
    place: (event, noted) => {
      const position = appendLeaf(tx, term(), { ...event, ...noted, type: "event", device });
      expectNoLonger(event.hash);
      noteLast(tx, device, event, { position, isTip: moveTip(tx, device, event) });
      return position;
    },
    placeHole: ({ run, seq, hash }) => {
      memory().holes += 1;
      sql("insert into hole (device, hash, run, seq, filled) values (?, ?, ?, ?, null)").run(device, hash, run, seq);
      const nothing = { prev: null, id: null, flags: [], bytes: new Uint8Array() };
      const position = appendLeaf(tx, term(), { type: "hole", device, run, seq, hash, ...nothing });
      expectNoLonger(hash);
      return position;
    },
    fillHole: (hash) => {
      sql("update hole set filled = ? where device = ? and hash = ?").run(now, device, hash);
    },
    hold: ({ run, seq, hash, bytes, signature }, want) => {
      memory().held += 1;
      sql(
        `insert into held (device, hash, want, run, seq, bytes, signature, received)
           values (?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(device, hash, want, run, seq, bytes, signature ?? null, now);
    },
    takeHeldOn: (want) => {
      if (memory().held === 0) return [];
      const rows = sql(
        `select run, seq, want as prev, hash, bytes, signature from held
           where device = ? and want = ? order by run, seq, hash`,
      ).all(device, want) as unknown as PlacedCandidate[];
      if (rows.length === 0) return rows;
      sql("delete from held where device = ? and want = ?").run(device, want);
      memory().held -= rows.length;
      return rows;
    },
    heldCount: () => memory().held,
    quarantine: ({ run, seq, prev, hash, bytes, signature }, code) => {
      sql(
        `insert or ignore into quarantine (device, hash, prev, code, run, seq, bytes, signature, received)
           values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(device, hash, prev, code, run, seq, bytes, signature ?? null, now);
    },
    countAnswer: (hash, answer) =>
      (
        sql(
          `insert into repeat (device, hash, answer, times) values (?, ?, ?, 1)
             on conflict (device, hash, answer) do update set times = times + 1 returning times`,
        ).get(device, hash, answer) as { times: number }
      ).times,

    expect: ({ run, seq, hash }) => {
      const insert = sql("insert or ignore into expected (device, hash, run, seq) values (?, ?, ?, ?)");
      memory().expected += Number(insert.run(device, hash, run, seq).changes);
    },
    tips: () => tipsOf(tx, device),
    wants: () => wantsOf(tx, device),
    openHoles: () => openHolesOf(tx, device),

    heldEnds: () =>
      sql(
        `select run, seq, hash from held as leaf where device = ?1
           and not exists (select 1 from held as later where later.device = ?1 and later.want = leaf.hash)`,
      ).all(device) as unknown as Tip[],
    find: (hash) =>
      (sql(
        "select run, seq, prev, hash, bytes, position from log where device = ? and hash = ? and type = 'event'",
      ).get(device, hash) ??
        sql("select run, seq, want as prev, hash, bytes, null as position from held where device = ? and hash = ?").get(
          device,
          hash,
        )) as StoredEvent | undefined,
    isBranched: (run) =>
      sql(
        "select 1 from log where device = ? and run = ? and type = 'event' and flags like '%\"branch\"%' limit 1",
      ).get(device, run) !== undefined,
  };
}

/**
 * The event that it follows is an end no more; it is one itself, unless its follower came first, over a declared hole.
 * Answers whether it is.
 */
function moveTip(tx: Transaction, device: string, { run, seq, prev, hash }: PlacedCandidate): boolean {
  const { last, holes } = deviceMemory(tx, device);
  const isTip = holes === 0 || !isFollowedHole(tx, device, hash);
  if (isTip && last !== null && last.hash === prev) {
    const move = tx.sql("update tip set hash = ?, run = ?, seq = ? where device = ? and hash = ?");
    assert(move.run(hash, run, seq, device, prev).changes === 1, "the event placed last is a tip");
    return true;
  }
  const ended = prev === null ? null : tx.sql("delete from tip where device = ? and hash = ?").run(device, prev);
  if (ended?.changes === 0 && holes > 0) {
    const follow = "insert or ignore into followed_hole select device, hash from hole where device = ? and hash = ?";
    tx.sql(follow).run(device, prev);
  }
  if (isTip) tx.sql("insert into tip (device, hash, run, seq) values (?, ?, ?, ?)").run(device, hash, run, seq);
  return isTip;
}

const isFollowedHole = (tx: Transaction, device: string, hash: string): boolean =>
  tx.sql("select 1 from followed_hole where device = ? and hash = ?").get(device, hash) !== undefined;

function takeQuarantined(tx: Transaction): ReturnType<LogTransaction["takeQuarantined"]> {
  const rows = tx
    .sql(
      `select quarantine.device, quarantine.run, quarantine.seq, quarantine.prev, quarantine.hash, quarantine.bytes,
              quarantine.signature
         from quarantine join device on device.device = quarantine.device and device.revoked is null
         order by quarantine.device, quarantine.received, quarantine.run, quarantine.seq`,
    )
    .all() as unknown as (PlacedCandidate & { readonly device: string })[];
  const remove = tx.sql("delete from quarantine where device = ? and hash = ?");
  for (const { device, hash } of rows) remove.run(device, hash);
  return [...Map.groupBy(rows, (row) => row.device)].map(([device, events]) => ({ device, events }));
}

function noteClose(tx: Transaction, { device, run, seq, hash, position, close }: PlacedClose): void {
  const { at, day, events, photos } = close;
  tx.sql(
    `insert into day_close (position, device, run, seq, hash, at, day, events, photos, filed)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, null)`,
  ).run(position, device, run, seq, hash, at, day, events, photos);
}
