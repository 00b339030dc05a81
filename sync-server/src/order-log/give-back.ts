import type { Tip } from "@sampai/engine/wire";
import type { Transaction } from "../database/transaction.ts";
import { tipsOf } from "./standing.ts";

/** An event of the claiming device, any run, that the device does not seem to hold any more. */
export interface GivenBack {
  readonly run: string;
  readonly seq: number;
  readonly prev: string | null;
  readonly bytes: Uint8Array;
  /** Null where it is held and not placed yet. */
  readonly position: number | null;
}

interface Row extends GivenBack {
  readonly hash: string;
}

/** Event bytes in one answer to a claim: oldest first, so that the next claim covers them and gets the rest. */
const GIVE_BYTES = 393_216;

/**
 * Placed or held events of the device that its claim does not cover. The claim names the tip of every run, which covers
 * that run up to its seq; where two branches of a run exist, only what lies on or before a named tip is covered. Walks
 * back from the relay's own ends, so that an ordinary claim costs a few look-ups however long the history is.
 */
export function giveBack(tx: Transaction, device: string, claimed: readonly Tip[]): GivenBack[] {
  const named = new Set(claimed.map(({ hash }) => hash));
  const byRun = Map.groupBy(claimed, ({ run }) => run);
  const branchedRuns = new Map<string, ReadonlySet<string> | null>();

  // Null: the run has one branch. Else the events of the run that lie on or before a claimed tip.
  const coveredOfBranched = (run: string): ReadonlySet<string> | null => {
    const known = branchedRuns.get(run);
    if (known !== undefined) return known;
    const branched = tx
      .sql("select 1 from log where device = ? and run = ? and type = 'event' and flags like '%\"branch\"%' limit 1")
      .get(device, run);
    const covered = branched === undefined ? null : new Set<string>();
    if (covered !== null) {
      for (const tip of byRun.get(run) ?? []) {
        for (let row = find(tx, device, tip.hash); row?.run === run && !covered.has(row.hash);) {
          covered.add(row.hash);
          row = row.prev === null ? undefined : find(tx, device, row.prev);
        }
      }
    }
    branchedRuns.set(run, covered);
    return covered;
  };
  const isCovered = ({ run, seq, hash }: Tip): boolean => {
    if (named.has(hash)) return true;
    const tips = byRun.get(run);
    if (tips === undefined || tips.every((tip) => tip.seq < seq)) return false;
    return coveredOfBranched(run)?.has(hash) ?? true;
  };

  const missing = new Map<string, Row>();
  for (const end of [...tipsOf(tx, device), ...heldEnds(tx, device)]) {
    if (isCovered(end)) continue;
    for (let row = find(tx, device, end.hash); row !== undefined && !isCovered(row) && !missing.has(row.hash);) {
      missing.set(row.hash, row);
      row = row.prev === null ? undefined : find(tx, device, row.prev);
    }
  }
  return firstOf([...missing.values()].sort(parentsFirst));
}

function heldEnds(tx: Transaction, device: string): Tip[] {
  return tx
    .sql(
      `select run, seq, hash from held as leaf where device = ?1
         and not exists (select 1 from held as later where later.device = ?1 and later.want = leaf.hash)`,
    )
    .all(device) as unknown as Tip[];
}

function find(tx: Transaction, device: string, hash: string): Row | undefined {
  return (tx
    .sql("select run, seq, prev, hash, bytes, position from log where device = ? and hash = ? and type = 'event'")
    .get(device, hash) ??
    tx
      .sql("select run, seq, want as prev, hash, bytes, null as position from held where device = ? and hash = ?")
      .get(device, hash)) as Row | undefined;
}

function parentsFirst(a: Row, b: Row): number {
  const byPosition = (a.position ?? Infinity) - (b.position ?? Infinity);
  if (byPosition !== 0 && !Number.isNaN(byPosition)) return byPosition;
  return a.run === b.run ? a.seq - b.seq : a.run < b.run ? -1 : 1;
}

function firstOf(rows: readonly Row[]): GivenBack[] {
  const given: GivenBack[] = [];
  let size = 0;
  for (const { run, seq, prev, bytes, position } of rows) {
    // Kept no longer, by a decision: there is nothing to give.
    if (bytes.length === 0) continue;
    size += bytes.length;
    if (given.length > 0 && size > GIVE_BYTES) break;
    given.push({ run, seq, prev, bytes, position });
  }
  return given;
}
