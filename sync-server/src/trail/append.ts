import { hash as digest } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { TrailNote } from "./trail.ts";

export interface TrailWriter {
  append(at: string, note: TrailNote): void;
  /** Reads the chain's end anew, after a transaction was rolled back. */
  reload(): void;
}

const FIRST = "0".repeat(64);

/** The hash that chains a row to the one before it. */
export function trailHash(
  previous: string,
  row: { position: number; at: string; logHead: number } & TrailNote,
): string {
  const { position, at, logHead, topic, device, item, detail } = row;
  const text = JSON.stringify([position, at, logHead, topic, device, item, detail]);
  // In one go: a hash object for each row would be given back only when the event loop turns, which a long walk never does.
  return digest("sha256", `${previous}${text}`);
}

export function createTrailWriter(db: DatabaseSync): TrailWriter {
  const insert = db.prepare(
    "insert into trail (position, at, log_head, topic, device, item, detail, hash) values (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const logHead = db.prepare("select coalesce(max(position) + 1, 0) as head from log");
  let position = 0;
  let previous = FIRST;
  const reload = () => {
    const last = db.prepare("select position, hash from trail order by position desc limit 1").get() as
      | { position: number; hash: string }
      | undefined;
    position = last === undefined ? 0 : last.position + 1;
    previous = last?.hash ?? FIRST;
  };
  reload();
  return {
    reload,
    append: (at, note) => {
      const head = (logHead.get() as { head: number }).head;
      const row = { position, at, logHead: head, ...note };
      previous = trailHash(previous, row);
      insert.run(position, at, head, note.topic, note.device, note.item, JSON.stringify(note.detail), previous);
      position += 1;
    },
  };
}
