import type { DatabaseSync } from "node:sqlite";
import { readHeadFile } from "../database/head-file.ts";
import { CannotStart } from "../stop-reasons.ts";

/** How far a relay had come by what stands outside the folder. */
export type NotedHead =
  | { readonly log: number; readonly trail: number; readonly documents: number }
  | { readonly unreadable: string }
  | null;

/** MUST be read before the database is: a relay that runs commits first and notes it then. Null where there is none. */
export function notedHead(file: string, workspace: string): NotedHead {
  try {
    return readHeadFile(file, workspace);
  } catch (error) {
    if (error instanceof CannotStart) return { unreadable: error.message };
    throw error;
  }
}

/** What of the rows that were acknowledged is not in the database, as a sentence's end, or null. */
export function missingSince(
  db: DatabaseSync,
  noted: Exclude<NotedHead, { unreadable: string } | null>,
): string | null {
  const lacks = ([table, stream, next]: readonly [string, string, number]) => {
    const { head } = db.prepare(`select coalesce(max(position) + 1, 0) as head from ${table}`).get() as {
      head: number;
    };
    return head < next ? [`${next - head} of ${next} rows of the ${stream}`] : [];
  };
  const missing = [
    ["log", "order log", noted.log] as const,
    ["trail", "trail", noted.trail] as const,
    ["change", "documents", noted.documents] as const,
  ].flatMap(lacks);
  return missing.length === 0 ? null : missing.join(", ");
}
