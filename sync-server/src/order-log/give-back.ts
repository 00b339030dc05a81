import type { Tip } from "@sampai/engine/wire";
import type { DeviceLog, StoredEvent } from "./log-transaction.ts";

/** An event of the claiming device, any run, that the device does not seem to hold any more. */
export type GivenBack = Omit<StoredEvent, "hash">;

/** Event bytes in one answer to a claim: oldest first, so that the next claim covers them and gets the rest. */
const GIVE_BYTES = 393_216;

/**
 * Placed or held events of the device that its claim does not cover. The claim names the tip of every run, which covers
 * that run up to its seq; where two branches of a run exist, only what lies on or before a named tip is covered. Walks
 * back from the relay's own ends, so that an ordinary claim costs a few look-ups however long the history is.
 */
export function giveBack(device: DeviceLog, claimed: readonly Tip[]): GivenBack[] {
  const named = new Set(claimed.map(({ hash }) => hash));
  const byRun = Map.groupBy(claimed, ({ run }) => run);
  const branchedRuns = new Map<string, ReadonlySet<string> | null>();

  // Null: the run has one branch. Else the events of the run that lie on or before a claimed tip.
  const coveredOfBranched = (run: string): ReadonlySet<string> | null => {
    const known = branchedRuns.get(run);
    if (known !== undefined) return known;
    const covered = device.isBranched(run) ? new Set<string>() : null;
    if (covered !== null) {
      for (const tip of byRun.get(run) ?? []) {
        for (let row = device.find(tip.hash); row?.run === run && !covered.has(row.hash);) {
          covered.add(row.hash);
          row = row.prev === null ? undefined : device.find(row.prev);
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

  const missing = new Map<string, StoredEvent>();
  for (const end of [...device.tips(), ...device.heldEnds()]) {
    if (isCovered(end)) continue;
    for (let row = device.find(end.hash); row !== undefined && !isCovered(row) && !missing.has(row.hash);) {
      missing.set(row.hash, row);
      row = row.prev === null ? undefined : device.find(row.prev);
    }
  }
  return firstOf([...missing.values()].sort(parentsFirst));
}

function parentsFirst(a: StoredEvent, b: StoredEvent): number {
  const byPosition = (a.position ?? Infinity) - (b.position ?? Infinity);
  if (byPosition !== 0 && !Number.isNaN(byPosition)) return byPosition;
  return a.run === b.run ? a.seq - b.seq : a.run < b.run ? -1 : 1;
}

function firstOf(rows: readonly StoredEvent[]): GivenBack[] {
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
