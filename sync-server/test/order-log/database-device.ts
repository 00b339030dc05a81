import { DatabaseSync, type StatementSync } from "node:sqlite";
import { operations, tables } from "../../src/database/operations.ts";
import type { Transaction } from "../../src/database/transaction.ts";
import { nextPosition } from "../../src/order-log/leaves.ts";
import { createTrailWriter } from "../../src/trail/append.ts";

/** The relay's own tables and operations over a database in memory, one transaction per call, with one enrolled device. */
export function createDatabaseDevice(device = "d1") {
  const db = new DatabaseSync(":memory:");
  db.exec(tables);
  db.prepare(
    `insert into device (device, person, role, public_key, token_hash, certificate, certificate_signature, platform, enrolled)
       values (?, 'R1', 'rep', '', '', '', '', '', '')`,
  ).run(device);
  const trail = createTrailWriter(db);
  const statements = new Map<string, StatementSync>();
  const remembered = new Map<string, unknown>();
  const now = "2026-11-23T07:15:14.123Z";
  const tx: Transaction = {
    now,
    sql: (text) => {
      const statement = statements.get(text) ?? db.prepare(text);
      statements.set(text, statement);
      return statement;
    },
    note: (row) => trail.append(now, nextPosition(tx), row),
    remember: <T>(name: string, make: () => T): T => {
      if (!remembered.has(name)) remembered.set(name, make());
      return remembered.get(name) as T;
    },
  };
  operations.openLog(tx, { workspace: "w", nonce: "0".repeat(16), relayStarts: false });
  const log = () =>
    (
      db.prepare("select hash, type, flags from log order by position").all() as unknown as {
        hash: string;
        type: string;
        flags: string;
      }[]
    ).map(({ hash, type, flags }) => ({ hash, hole: type === "hole", flags: JSON.parse(flags) as string[] }));
  /** As after a restart: what the writer remembers between transactions is gone. */
  const forget = () => remembered.clear();
  return { db, tx, device, log, forget };
}
