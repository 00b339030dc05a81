import { hash as digest } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { TrailNote } from "./trail.ts";

export interface TrailWriter {
  /** `logHead` is the next position of the order log at this moment. */
  append(at: string, logHead: number, note: TrailNote): void;
  /** Reads the chain's end anew, after a transaction was rolled back. */
  reload(): void;
}

const FIRST = "0".repeat(64);

/** The hash that chains a row to the one before it. `detail` is the row's detail as it is kept: JSON. */
export function trailHash(
  previous: string,
  row: { position: number; at: string; logHead: number } & Omit<TrailNote, "detail"> & { detail: string },
): string {
  const { position, at, logHead, topic, device, item, detail } = row;
  const head = JSON.stringify([position, at, logHead, topic, device, item]);
  // In one go: a hash object for each row would be given back only when the event loop turns, which a long walk never does.
  return digest("sha256", `${previous}${head.slice(0, -1)},${detail}]`);
}

export function createTrailWriter(db: DatabaseSync): TrailWriter {
  const insert = db.prepare(
    "insert into trail (position, at, log_head, topic, device, item, detail, hash) values (?, ?, ?, ?, ?, ?, ?, ?)",
  );
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
    append: (at, logHead, note) => {
      const { topic, device, item } = note;
      const detail = JSON.stringify(note.detail);
      previous = trailHash(previous, { position, at, logHead, topic, device, item, detail });
      insert.run(position, at, logHead, topic, device, item, detail, previous);
      position += 1;
    },
  };
}
