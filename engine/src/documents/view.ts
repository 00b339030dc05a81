import * as A from "@automerge/automerge/slim";
import { candidatesOf, containerOf } from "./candidates.ts";
import { settle, type Decision } from "./conflicts/index.ts";
import type { DocumentKind, FieldExplanation, Scalar } from "./documents.ts";
import { ruleNames, type FieldDefinition, type RuleName } from "./field.ts";
import type { Replica } from "./genesis.ts";
import { documentKinds } from "./kinds.ts";

/** What a reference pack says about reading documents: its rule table, and people's names for sentences. */
export interface ReadingRules {
  /** Kind → field → rule, where the pack departs from the schema. */
  readonly conflicts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Person's code → name. */
  readonly names: Readonly<Record<string, string>>;
}

/** Reading without a pack: the schema's own rules. */
export const schemaRules: ReadingRules = { conflicts: {}, names: {} };

/** The part of a pack that reading needs. Equal heads and equal pack give equal views everywhere. */
export function readingRules(
  pack: {
    readonly rules: { readonly conflicts: ReadingRules["conflicts"] };
    readonly people: readonly { readonly code: string; readonly name: string }[];
  } | null,
): ReadingRules {
  if (pack === null) return schemaRules;
  return {
    conflicts: pack.rules.conflicts,
    names: Object.fromEntries(pack.people.map(({ code, name }) => [code, name])),
  };
}

/** The rule of a field under a pack. A rule name that this version does not know falls back to the schema's. */
export function ruleOf(kind: DocumentKind, field: string, rules: ReadingRules): RuleName {
  const named = rules.conflicts[kind]?.[field];
  const own = (documentKinds[kind].fields[field] as FieldDefinition).rule;
  return ruleNames.find((name) => name === named) ?? own;
}

/** The document as plain JSON after the conflict rules, and the fields over which somebody disagreed. */
export function viewOf(
  replica: Replica,
  kind: DocumentKind,
  rules: ReadingRules,
): { readonly value: Readonly<Record<string, unknown>>; readonly conflicts: readonly string[] } {
  const value: Record<string, unknown> = {};
  const conflicts: string[] = [];
  for (const [name, definition] of Object.entries(documentKinds[kind].fields)) {
    if (!definition.column) {
      value[name] = read(name, null, definition);
      continue;
    }
    const rows: [string, Scalar][] = [];
    const container = containerOf(replica, name, true);
    const keys = container === null ? [] : A.getBackend(replica).keys(container).sort();
    for (const key of keys) {
      const cell = read(name, key, definition);
      if (cell !== null) rows.push([key, cell]);
    }
    value[name] = definition.type === "set" ? rows.map(([key]) => key) : Object.fromEntries(rows);
  }
  return { value, conflicts };

  function read(name: string, row: string | null, definition: FieldDefinition): Scalar {
    const decision = decide(replica, kind, name, row, rules);
    if (decision === "merged") return mergedValue(replica, name, definition);
    if (decision !== null && decision.losers.length > 0) conflicts.push(row === null ? name : `${name}/${row}`);
    return decision?.winner.value ?? null;
  }
}

/** One field without rows, after its conflict rule. */
export function valueOf(replica: Replica, kind: DocumentKind, field: string, rules: ReadingRules): Scalar {
  const decision = decide(replica, kind, field, null, rules);
  if (decision !== "merged") return decision?.winner.value ?? null;
  return mergedValue(replica, field, documentKinds[kind].fields[field] as FieldDefinition);
}

/** How one field (or row) came to its value: what a person reads who asks why. */
export function explainField(
  replica: Replica,
  kind: DocumentKind,
  rules: ReadingRules,
  field: string,
  row: string | null,
): FieldExplanation {
  const definition = documentKinds[kind].fields[field] as FieldDefinition;
  const rule = ruleOf(kind, field, rules);
  const decision = decide(replica, kind, field, row, rules);
  if (decision === "merged") {
    const reason =
      definition.type === "counter"
        ? { en: "All increments add up.", ms: "Semua tambahan dijumlahkan." }
        : { en: "Everybody's edits of this text merge.", ms: "Suntingan semua orang dalam teks ini bergabung." };
    return { field, key: row, rule, value: mergedValue(replica, field, definition), winner: null, losers: [], reason };
  }
  if (decision === null) {
    const reason = { en: "Nobody has written this field.", ms: "Belum ada sesiapa menulis medan ini." };
    return { field, key: row, rule, value: null, winner: null, losers: [], reason };
  }
  const { winner, losers, reason } = decision;
  return { field, key: row, rule, value: winner.value, winner: authored(winner), losers: losers.map(authored), reason };
}

/** What the rule says of one field (or row): null where nobody wrote it, `merged` where it merges by itself. */
export function decide(
  replica: Replica,
  kind: DocumentKind,
  field: string,
  row: string | null,
  rules: ReadingRules,
): Decision | null | "merged" {
  const definition = documentKinds[kind].fields[field] as FieldDefinition;
  if (definition.type === "text" || definition.type === "counter") return "merged";
  return settle(ruleOf(kind, field, rules), candidatesOf(replica, field, row, rules.names), definition);
}

function mergedValue(replica: Replica, field: string, definition: FieldDefinition): Scalar {
  const backend = A.getBackend(replica);
  const found = backend.getWithType("_root", field);
  if (found?.[0] === "counter") return found[1];
  if (found?.[0] === "text") return backend.text(found[1]);
  return definition.type === "counter" ? 0 : "";
}

function authored({ value, by, role, device, at, change }: Decision["winner"]) {
  return { value, by, role, device, at, change };
}
