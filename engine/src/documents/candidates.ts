import * as A from "@automerge/automerge/slim";
import { authorOfOperation } from "./authorship.ts";
import type { Candidate } from "./conflicts/index.ts";
import type { Scalar } from "./documents.ts";
import { isSchemaActor, type Replica } from "./genesis.ts";

/** Automerge's object id of a column, or of the root where `field` has no rows; null where an older app made the document. */
export function containerOf(replica: Replica, field: string, column: boolean): string | null {
  if (!column) return "_root";
  const backend = A.getBackend(replica);
  const found = backend.getWithType("_root", field);
  return found?.[0] === "map" ? found[1] : null;
}

/**
 * Every value that stands in a field (or a column's row) because nobody who wrote one knew of the other, each with its
 * author. The schema's own nulls are nobody's: they are left out. Texts and counters merge by themselves and have none.
 */
export function candidatesOf(
  replica: Replica,
  field: string,
  row: string | null,
  names: Readonly<Record<string, string>> = {},
): Candidate[] {
  const container = containerOf(replica, field, row !== null);
  if (container === null) return [];
  const candidates: Candidate[] = [];
  for (const found of A.getBackend(replica).getAll(container, row ?? field)) {
    const [type, value, op] = found;
    if (type === "map" || type === "list" || type === "text" || type === "table" || type === "counter") continue;
    if (isSchemaActor(op.split("@")[1] ?? "")) continue;
    const author = authorOfOperation(replica, op);
    if (author === undefined) continue;
    candidates.push({ ...author, value: isScalar(value) ? value : null, name: nameOf(author.by, names), op: op });
  }
  return candidates;
}

function nameOf(by: string, names: Readonly<Record<string, string>>): string {
  return Object.hasOwn(names, by) ? (names[by] as string) : by;
}

/** Bytes and timestamps are no field's value; the gate lets none in. */
function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value !== "object";
}
