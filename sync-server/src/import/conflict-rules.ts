import { documentKinds, type DocumentKind, type Pack, type RuleName } from "@sampai/engine";
import type { Rows } from "./columns.ts";

type ConflictRules = Pack["rules"]["conflicts"];

/**
 * The rule of every field of every kind, written out, so that phones with different versions of the app settle by the
 * same table: the schema's own rule, then what is in force, then what the file says.
 */
export function conflictRules(rows: Rows["conflicts"], inForce: ConflictRules): ConflictRules {
  const given = Object.groupBy(rows ?? [], ({ document }) => document);
  return Object.fromEntries(
    Object.values(documentKinds).map(({ kind, fields }) => {
      const own = Object.entries(fields).map(([field, { rule }]) => [field, rule] as const);
      const before = rows === undefined ? (inForce[kind] ?? {}) : {};
      const changed = (given[kind] ?? []).map(({ field, rule }) => [field, rule] as const);
      return [kind, { ...Object.fromEntries(own), ...before, ...Object.fromEntries(changed) }];
    }),
  );
}

/** Why this rule cannot settle this field, or null where it can. */
export function unfitRule(
  kind: DocumentKind,
  field: string,
  rule: RuleName,
): { readonly column: "field" | "rule"; readonly reason: string } | null {
  const { fields } = documentKinds[kind];
  const definition = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (definition === undefined) return { column: "field", reason: `a ${kind} has no field ${field}` };
  const { type, monotone } = definition;
  const unfit = (reason: string) => ({ column: "rule", reason }) as const;
  if (type === "text" || type === "set" || type === "counter") {
    return unfit(`${field} is a ${type}: Automerge merges it, nothing is left to settle`);
  }
  if (rule === "monotone" && !monotone) return unfit(`${field} may go back, so it cannot be settled by progress`);
  const ordered = type === "integer" || type === "number" || type === "date" || type === "time";
  if ((rule === "max" || rule === "min") && !ordered) return unfit(`${field} has no larger and smaller`);
  return null;
}
