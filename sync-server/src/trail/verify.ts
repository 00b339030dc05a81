import type { DatabaseSync } from "node:sqlite";
import { trailHash } from "./append.ts";
import type { TrailNote } from "./trail.ts";

export interface BadTrailRow {
  readonly position: number;
  readonly what: string;
}

interface Row {
  readonly position: number;
  readonly at: string;
  readonly log_head: number;
  readonly topic: TrailNote["topic"];
  readonly device: string | null;
  readonly item: string | null;
  readonly detail: string;
  readonly hash: string;
}

const PAGE = 1_000;

/** Walks the trail in pages: positions without a gap, each row's hash over it and the row before. The first bad row, or null. */
export function verifyTrail(db: DatabaseSync, progress: (position: number) => void): BadTrailRow | null {
  const page = db.prepare("select * from trail where position >= ? order by position limit ?");
  let previous = "0".repeat(64);
  let position = 0;
  for (;;) {
    const rows = page.all(position, PAGE) as unknown as Row[];
    for (const row of rows) {
      if (row.position !== position) return { position, what: `is missing; the next row is ${row.position}` };
      const { at, log_head: logHead, topic, device, item, hash } = row;
      const { detail } = row;
      if (!isAsWritten(detail)) return { position, what: "has a detail that is no JSON as it was written" };
      if (trailHash(previous, { position, at, logHead, topic, device, item, detail }) !== hash) {
        return { position, what: "does not match its hash" };
      }
      previous = hash;
      position += 1;
    }
    progress(position);
    if (rows.length < PAGE) return null;
  }
}

function isAsWritten(detail: string): boolean {
  try {
    return JSON.stringify(JSON.parse(detail)) === detail;
  } catch {
    return false;
  }
}
