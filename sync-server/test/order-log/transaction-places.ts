import { operations } from "../../src/database/operations.ts";
import { rejudgeQuarantine } from "../../src/order-log/append-batch.ts";
import { sqliteTransaction } from "../../src/order-log/sqlite-transaction.ts";
import { openLife } from "../../src/order-log/life.ts";
import type { LogTransaction } from "../../src/order-log/log-transaction.ts";
import { createDatabaseDevice } from "./database-device.ts";
import { emptyRows, enrolInMemory, memoryTransaction } from "./memory-transaction.ts";

/** An order log with one enrolled device, `d1`, seen from inside a transaction. */
export interface TransactionPlace {
  readonly transaction: LogTransaction;
  setRevoked(revoked: boolean): void;
  leaves(): readonly { readonly hash: string; readonly hole: boolean; readonly flags: readonly string[] }[];
}

const NOW = "2026-11-23T07:15:14.123Z";

function inMemory(): TransactionPlace {
  const rows = emptyRows("w");
  enrolInMemory(rows, "d1");
  const transaction = memoryTransaction(rows, NOW);
  openLife(transaction, "0".repeat(16), null);
  return {
    transaction,
    setRevoked: (revoked) => {
      const device = rows.devices.get("d1");
      if (device !== undefined) device.mayWrite = !revoked;
      if (!revoked) rejudgeQuarantine(transaction);
    },
    leaves: () => rows.leaves.map(({ hash, type, flags }) => ({ hash, hole: type === "hole", flags })),
  };
}

function inSqlite(): TransactionPlace {
  const { tx, device, log } = createDatabaseDevice("d1");
  return {
    transaction: sqliteTransaction(tx),
    setRevoked: (revoked) => {
      if (revoked) operations.revoke(tx, { device, by: "test", reason: "" });
      else operations.unrevoke(tx, { device, by: "test" });
    },
    leaves: log,
  };
}

/** Every adapter of the LogTransaction port, by name. */
export const transactionPlaces = [
  ["in memory", inMemory],
  ["in SQLite", inSqlite],
] as const;
