import type { DatabaseSync } from "node:sqlite";
import type { Writer } from "../database/writer.ts";
import { sqlOf } from "../database/sql.ts";
import { headOf } from "./leaves.ts";
import type { LeafFlag, LogLeaf, OrderLog, OrderLogReader } from "./log.ts";

/** The order log in the relay's database: written by its one writer, read beside it. */
export function createSqliteOrderLog({
  workspace,
  writer,
  db,
}: {
  readonly workspace: { readonly id: string };
  readonly writer: Writer;
  readonly db: DatabaseSync;
}): OrderLog {
  const isOurs = (one: { readonly workspace: string }) => one.workspace === workspace.id;
  return {
    ...createOrderLogReader(db),
    workspace: workspace.id,
    append: async (batch) => (isOurs(batch) ? writer.run("append", batch) : { refused: "batch.workspace" }),
    declareHole: async (hole) => {
      if (!isOurs(hole)) return { refused: "batch.workspace" };
      await writer.run("hole", hole);
      return "noted";
    },
    subscribe: (listener) => {
      let told = headOf({ sql: (text) => db.prepare(text) });
      return writer.onCommit(({ log }) => {
        if (log === told) return;
        told = log;
        listener(log);
      });
    },
  };
}

/** The workspace whose log this is; null before its first opening. */
export function ownerOf(db: DatabaseSync): string | null {
  const row = db.prepare("select id from log_workspace").get() as { id: string } | undefined;
  return row?.id ?? null;
}

/** Reads the order log from SQLite, a page at a time. */
export function createOrderLogReader(db: DatabaseSync): OrderLogReader {
  const sql = sqlOf(db);
  const columns = "position, term, type, device, run, seq, hash, received, flags, bytes";
  const page = sql(`select ${columns} from log where position >= ? order by position limit ?`);
  const byId = sql(`select ${columns} from log where id = ? order by position limit 1`);
  return {
    read: (position, count) => Promise.resolve((page.all(position, count) as unknown as LeafRow[]).map(leafFrom)),
    find: (id) => {
      const row = byId.get(id) as LeafRow | undefined;
      return Promise.resolve(row === undefined ? undefined : leafFrom(row));
    },
    head: () => Promise.resolve(headOf({ sql })),
  };
}

type LeafRow = Omit<LogLeaf, "flags"> & { readonly flags: string };

function leafFrom(row: LeafRow): LogLeaf {
  return { ...row, flags: JSON.parse(row.flags) as LeafFlag[] };
}
