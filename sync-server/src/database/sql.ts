import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Prepares a statement, or answers the one prepared before for the same text: of a reader, or of the writer's transaction. */
export type Sql = (text: string) => StatementSync;

export function sqlOf(db: DatabaseSync): Sql {
  const prepared = new Map<string, StatementSync>();
  return (text) => {
    const statement = prepared.get(text) ?? db.prepare(text);
    prepared.set(text, statement);
    return statement;
  };
}
