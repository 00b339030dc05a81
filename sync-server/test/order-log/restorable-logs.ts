import { randomUUID } from "node:crypto";
import { copyFileSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import path from "node:path";
import { leafHash, rangeHash } from "@sampai/engine/proof";
import { tables } from "../../src/database/operations.ts";
import type { Transaction } from "../../src/database/transaction.ts";
import type { LogTransaction } from "../../src/order-log/log-transaction.ts";
import { sqliteTransaction } from "../../src/order-log/sqlite-transaction.ts";
import { operations as proofOperations } from "../../src/proof/operations.ts";
import { extendTiles, subtreesOf } from "../../src/proof/tiles.ts";
import { createTreeReader } from "../../src/proof/tree-reader.ts";
import { nextPosition } from "../../src/order-log/leaves.ts";
import { createTrailWriter } from "../../src/trail/append.ts";
import { emptyRows, enrolInMemory, memoryTransaction } from "./memory-transaction.ts";

/** An order log that can be backed up, and be put back to a backup while nobody works on it. */
export interface RestorableLog {
  commit<T>(run: (log: LogTransaction) => T): T;
  /** Enrols a device that is not known. */
  enrol(device: string): void;
  /** Makes the tree over all leaves and keeps a checkpoint of it. */
  keepTree(): void;
  /** The answer puts the log back to what it is now. */
  backUp(): () => void;
  leaves(): readonly RestoredLeaf[];
  close(): void;
}

export interface RestoredLeaf {
  readonly position: number;
  readonly type: string;
  readonly hash: string;
  readonly prev: string | null;
}

const NOW = "2026-11-25T02:00:00.000Z";

function inMemory(): RestorableLog {
  let rows = emptyRows("w");
  return {
    commit: (run) => run(memoryTransaction(rows, NOW)),
    enrol: (device) => {
      if (!rows.devices.has(device)) enrolInMemory(rows, device);
    },
    // The tree in memory is made when it is asked for.
    keepTree: () => undefined,
    backUp: () => {
      const backup = structuredClone(rows);
      return () => {
        rows = structuredClone(backup);
      };
    },
    leaves: () => rows.leaves,
    close: () => undefined,
  };
}

function inSqlite(folder: string): RestorableLog {
  const file = path.join(folder, `${randomUUID()}.sqlite`);
  let db: DatabaseSync;
  let tx: Transaction;
  const open = () => {
    db = new DatabaseSync(file);
    db.exec("pragma journal_mode = off; pragma synchronous = off");
    db.exec(tables);
    tx = transactionOn(db);
  };
  const inTransaction = <T>(run: () => T): T => {
    db.exec("begin");
    const answer = run();
    db.exec("commit");
    return answer;
  };
  open();
  return {
    commit: (run) => inTransaction(() => run(sqliteTransaction(tx))),
    enrol: (device) => {
      tx.sql(
        `insert or ignore into device (device, person, role, public_key, token_hash, certificate, certificate_signature, platform, enrolled)
           values (?, 'R1', 'rep', '', ?, '', '', '', '')`,
      ).run(device, device);
    },
    keepTree: () => {
      const reader = createTreeReader(db);
      const from = reader.checkpoint()?.size ?? 0;
      const leaves = reader.records(from, 10_000).map(leafHash);
      if (leaves.length === 0) return;
      const tiles = extendTiles(reader, from, leaves);
      const grown = new Map(tiles.map((tile) => [`${tile.level}/${tile.index}`, tile.hashes]));
      const overlay = {
        tile: (level: number, index: number) => grown.get(`${level}/${index}`) ?? reader.tile(level, index),
      };
      const size = from + leaves.length;
      const { term } = sqliteTransaction(tx);
      const checkpoint = { size, term, root: rangeHash(0, size, subtreesOf(overlay)), note: "" };
      inTransaction(() => proofOperations.keepTree(tx, { from, tiles, checkpoint }));
    },
    backUp: () => {
      const backup = `${file}.${randomUUID()}`;
      db.exec(`vacuum into '${backup}'`);
      return () => {
        db.close();
        copyFileSync(backup, file);
        open();
      };
    },
    leaves: () =>
      db.prepare("select position, type, hash, prev from log order by position").all() as unknown as RestoredLeaf[],
    close: () => db.close(),
  };
}

function transactionOn(db: DatabaseSync): Transaction {
  const trail = createTrailWriter(db);
  const statements = new Map<string, StatementSync>();
  const remembered = new Map<string, unknown>();
  const transaction: Transaction = {
    now: NOW,
    sql: (text) => {
      const statement = statements.get(text) ?? db.prepare(text);
      statements.set(text, statement);
      return statement;
    },
    note: (row) => trail.append(NOW, nextPosition(transaction), row),
    remember: <T>(name: string, make: () => T): T => {
      if (!remembered.has(name)) remembered.set(name, make());
      return remembered.get(name) as T;
    },
  };
  return transaction;
}

/** Every adapter, by name; what one needs of the disk it puts into the folder. */
export const restorableLogs: readonly (readonly [name: string, open: (folder: string) => RestorableLog])[] = [
  ["in memory", inMemory],
  ["in SQLite", inSqlite],
];
