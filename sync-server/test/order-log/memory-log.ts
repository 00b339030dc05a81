import { appendBatch, declareHole, rejudgeQuarantine } from "../../src/order-log/append-batch.ts";
import { openLife } from "../../src/order-log/life.ts";
import type { OrderLog } from "../../src/order-log/log.ts";
import type { LogTransaction } from "../../src/order-log/log-transaction.ts";
import { emptyRows, enrolInMemory, memoryTransaction, type MemoryRows } from "./memory-transaction.ts";
import type { CrashPoint } from "./order-log.contract.ts";

/** What outlives a process of the memory adapter. */
export interface MemoryDisk {
  rows: MemoryRows | null;
}

export interface MemoryOrderLog extends OrderLog {
  enrol(device: string): Promise<void>;
  setRevoked(device: string, revoked: boolean): Promise<void>;
  /** The process dies at this point of the next commit: it writes and answers nothing from then on. */
  dieAt(point: CrashPoint): void;
}

const NOW = "2026-11-23T07:15:14.123Z";

/** The order log in memory, with one group commit of all that was handed in since the last. Throws on another's disk. */
export function openMemoryLog(disk: MemoryDisk, workspace: string): MemoryOrderLog {
  disk.rows ??= opened(workspace);
  if (disk.rows.workspace !== workspace) throw new Error(`this log is of ${disk.rows.workspace}`);
  const listeners = new Set<(head: number) => void>();
  const committed = () => disk.rows as MemoryRows;
  let waiting: { readonly run: (log: LogTransaction) => unknown; readonly settle: (answer: Answer) => void }[] = [];
  let dying: CrashPoint | null = null;
  let dead = false;

  const commit = () => {
    const batch = waiting;
    waiting = [];
    dead ||= dying === "before";
    if (dead) return;
    const before = committed().leaves.length;
    let rows = structuredClone(committed());
    const answers = batch.map(({ run }): Answer => {
      const unspoilt = structuredClone(rows);
      try {
        return { value: run(memoryTransaction(rows, NOW)) };
      } catch (error) {
        rows = unspoilt;
        return { error };
      }
    });
    dead = dying === "inside";
    if (dead) return;
    disk.rows = rows;
    dead = dying === "committed";
    if (dead) return;
    if (rows.leaves.length !== before) for (const listener of listeners) listener(rows.leaves.length);
    for (const [index, { settle }] of batch.entries()) settle(answers[index] as Answer);
  };
  const transact = <T>(run: (log: LogTransaction) => T): Promise<T> =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) queueMicrotask(commit);
      waiting.push({
        run,
        settle: (answer) => ("error" in answer ? reject(answer.error) : resolve(answer.value as T)),
      });
    });

  return {
    workspace,
    append: async (batch) =>
      batch.workspace === workspace ? transact((log) => appendBatch(log, batch)) : { refused: "batch.workspace" },
    declareHole: async (hole) => {
      if (hole.workspace !== workspace) return { refused: "batch.workspace" };
      await transact((log) => declareHole(log, hole));
      return "noted";
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    read: (position, count) => Promise.resolve(committed().leaves.slice(position, position + count)),
    find: (id) => Promise.resolve(committed().leaves.find((leaf) => leaf.id === id)),
    head: () => Promise.resolve(committed().leaves.length),
    enrol: (device) => Promise.resolve(enrolInMemory(committed(), device)),
    setRevoked: (device, revoked) => {
      const row = committed().devices.get(device);
      if (row !== undefined) row.mayWrite = !revoked;
      return revoked ? Promise.resolve() : transact((log) => rejudgeQuarantine(log));
    },
    dieAt: (point) => {
      dying = point;
    },
  };
}

function opened(workspace: string): MemoryRows {
  const rows = emptyRows(workspace);
  openLife(memoryTransaction(rows, NOW), "0".repeat(16), null);
  return rows;
}

type Answer = { readonly value: unknown } | { readonly error: unknown };
