import type { DatabaseSync } from "node:sqlite";

/** Codes of people who were forgotten. A code is never given again: an import leaves out whoever has one. */
export function forgottenPeople(db: DatabaseSync): ReadonlySet<string> {
  const rows = db.prepare("select person from forgotten").all() as { person: string }[];
  return new Set(rows.map(({ person }) => person));
}
