import type { DatabaseSync } from "node:sqlite";
import type { LeafFlag, LogLeaf, OrderLogReader } from "./log.ts";

/** Reads the order log from SQLite, a page at a time. */
export function createOrderLogReader(db: DatabaseSync): OrderLogReader {
  const columns = "position, term, type, device, run, seq, hash, received, flags, bytes";
  const page = db.prepare(`select ${columns} from log where position >= ? order by position limit ?`);
  const byId = db.prepare(`select ${columns} from log where id = ? order by position limit 1`);
  const head = db.prepare("select coalesce(max(position) + 1, 0) as head from log");
  return {
    read: (position, count) => (page.all(position, count) as unknown as LeafRow[]).map(leafFrom),
    find: (id) => {
      const row = byId.get(id) as LeafRow | undefined;
      return row === undefined ? undefined : leafFrom(row);
    },
    head: () => (head.get() as { head: number }).head,
  };
}

type LeafRow = Omit<LogLeaf, "flags"> & { readonly flags: string };

function leafFrom(row: LeafRow): LogLeaf {
  return { ...row, flags: JSON.parse(row.flags) as LeafFlag[] };
}
