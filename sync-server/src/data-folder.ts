import { randomBytes } from "node:crypto";
import { accessSync, constants, mkdirSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { RelayConfig } from "./config.ts";
import { openForReading } from "./database/connection.ts";
import { defaultHeadFile, readHeadFile } from "./database/head-file.ts";
import { lockFolder } from "./database/lock.ts";
import { startWriter, type Writer } from "./database/writer.ts";
import type { OrderLog } from "./order-log/log.ts";
import { createSqliteOrderLog, ownerOf } from "./order-log/sqlite-log.ts";
import { removeRunning } from "./running.ts";
import { CannotStart } from "./stop-reasons.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

/** A data folder, opened by the one process that may write in it. */
export interface DataFolder {
  readonly workspace: Workspace;
  readonly writer: Writer;
  readonly orderLog: OrderLog;
  /** Can only read. */
  readonly db: DatabaseSync;
  /** The current term of the order log. */
  readonly term: string;
  /** What the head file said at this opening. */
  readonly headFile: HeadSaid;
  /** The nonce of this opening: what it writes to the log is one life of it. */
  readonly start: string;
  close(): Promise<void>;
}

export interface HeadSaid {
  readonly file: string;
  /** Rows of the order log that it had noted; null where there was no file. */
  readonly noted: number | null;
  /** Rows that were here. */
  readonly found: number;
  /** Whether it knew more than the folder, so that a new term began. */
  readonly isOlderCopy: boolean;
}

/**
 * Opens the folder for a relay (`relayStarts`), or for a command where no relay runs. `onBroken` is told when the disk
 * gave out. Throws `CannotStart`.
 */
export async function openDataFolder(
  config: Pick<RelayConfig, "dir" | "zone" | "databaseBytes"> & Partial<Pick<RelayConfig, "headFile">>,
  onBroken: (reason: string) => void,
  relayStarts: boolean,
): Promise<DataFolder> {
  const { dir: dataDir, zone, databaseBytes } = config;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    throw new CannotStart("folder.unusable", `${dataDir}: ${String((error as NodeJS.ErrnoException).code)}.`);
  }
  const unlock = lockFolder(dataDir);
  let writer: Writer | null = null;
  let db: DatabaseSync | null = null;
  const close = async () => {
    // The writer last: the one that closes the database folds its log in.
    db?.close();
    await writer?.close();
    unlock();
  };
  try {
    // Whoever had the folder before is gone: what it left says nothing of who has it now.
    removeRunning(dataDir);
    const workspace = openWorkspace(dataDir, zone);
    const file = config.headFile ?? defaultHeadFile(dataDir);
    const head = readHeadFile(file, workspace.id);
    writer = await startWriter(dataDir, onBroken, databaseBytes, { file, workspace: workspace.id });
    db = openForReading(dataDir);
    const owner = ownerOf(db) ?? workspace.id;
    if (owner !== workspace.id) {
      throw new CannotStart("workspace.foreign", `It is of ${owner}, and the file names ${workspace.id}.`);
    }
    const start = randomBytes(8).toString("hex");
    const before = standingOf(db);
    const term = await writer.run("openLog", { workspace: workspace.id, nonce: start, relayStarts, head });
    return {
      workspace,
      writer,
      db,
      orderLog: createSqliteOrderLog({ workspace, writer, db }),
      term,
      headFile: {
        file,
        noted: head?.log ?? null,
        found: before.rows,
        isOlderCopy: head !== null && before.term !== null && before.term !== term,
      },
      start,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function standingOf(db: DatabaseSync): { readonly rows: number; readonly term: string | null } {
  return db
    .prepare(
      `select (select coalesce(max(position) + 1, 0) from log) as rows,
              (select id from term order by number desc limit 1) as term`,
    )
    .get() as { rows: number; term: string | null };
}
