import { z } from "zod";
import { msFromUtc } from "../core/clock.ts";
import type { Role } from "../wire/messages.ts";
import type { DocumentKind, Scalar } from "./documents.ts";

/**
 * `code`: an identifier. `words`: a name, address or remark that is replaced as a whole. `text`: collaborative, edited
 * character by character. `enum`: one of `options`. `date`: `YYYY-MM-DD`. `time`: RFC 3339 UTC. `set`: a column whose
 * rows are true or null. `counter`: only ever incremented.
 */
export const fieldTypes = [
  "code",
  "words",
  "text",
  "integer",
  "number",
  "boolean",
  "enum",
  "date",
  "time",
  "set",
  "counter",
] as const;
export type FieldType = (typeof fieldTypes)[number];

/** How concurrent values of a field are settled: one file each in `conflicts/`. */
export const ruleNames = [
  "latest",
  "authority",
  "max",
  "min",
  "union",
  "counter",
  "monotone",
  "keep-all",
  "text",
] as const;
export type RuleName = (typeof ruleNames)[number];

export interface Label {
  readonly en: string;
  readonly ms: string;
}

export interface FieldOption {
  readonly value: string;
  readonly label: Label;
}

export interface FieldDefinition {
  readonly type: FieldType;
  /** A column holds one value per row key (`priceSen` of SKU 1047): one map, made in the schema, never a nested row. */
  readonly column: boolean;
  /** The rule where the reference pack names no other. */
  readonly rule: RuleName;
  readonly roles: readonly Role[];
  /** Roles that may also give the field its first value, such as a rep's territory for an outlet he found. */
  readonly rolesWhenEmpty: readonly Role[];
  /** The value never goes back: numbers and times grow, enums move along `options`, null is never written again. */
  readonly monotone: boolean;
  readonly label: Label;
  /** Smallest and largest number; for `code`, `words` and `text` `max` counts UTF-16 code units. */
  readonly min: number;
  readonly max: number;
  readonly options: readonly FieldOption[];
  /** The schema version that brought the field. Only containers need one: an absent scalar is null. */
  readonly since: number;
}

/** A kind of document: what its fields are and which of them a list shows. */
export interface DocumentDefinition {
  readonly kind: DocumentKind;
  readonly label: Label;
  readonly fields: Readonly<Record<string, FieldDefinition>>;
  /** Fields without rows that stand in the summary index, so that a list loads no document. */
  readonly summary: readonly string[];
}

/** Rows in one column: a store lists a few hundred goods; more is a runaway writer. */
export const ROWS_PER_COLUMN = 5_000;

const everybody: readonly Role[] = ["rep", "supervisor", "hq"];
const defaults = {
  column: false,
  rolesWhenEmpty: [],
  monotone: false,
  options: [],
  since: 1,
} as const;

type Extra = Partial<Omit<FieldDefinition, "type" | "label">>;

/** One line of a field table. Who may edit is everybody and the rule is *latest* where nothing else is said. */
export function field<const T extends FieldType, const X extends Extra>(type: T, en: string, ms: string, extra?: X) {
  const own = { type, label: { en, ms }, rule: naturalRule(type), roles: everybody, ...bounds(type) };
  const column = type === "set" || extra?.column === true;
  return { ...defaults, ...own, ...extra, column } as FieldDefinition & {
    readonly type: T;
    readonly column: T extends "set" ? true : X extends { column: true } ? true : false;
  };
}

function naturalRule(type: FieldType): RuleName {
  if (type === "text") return "text";
  if (type === "set") return "union";
  return type === "counter" ? "counter" : "latest";
}

function bounds(type: FieldType): { min: number; max: number } {
  switch (type) {
    case "code":
      return { min: 1, max: 60 };
    case "words":
      return { min: 0, max: 200 };
    case "text":
      return { min: 0, max: 20_000 };
    case "integer":
    case "counter":
      return { min: 0, max: 1_000_000_000_000 };
    case "number":
      return { min: -1e12, max: 1e12 };
    case "boolean":
    case "enum":
    case "date":
    case "time":
    case "set":
      return { min: 0, max: 0 };
  }
}

/** Whether this role may write the field. `empty`: the field (or row) has no value yet. */
export function mayEdit(definition: FieldDefinition, role: string, empty: boolean): boolean {
  const allowed: readonly string[] = empty ? [...definition.roles, ...definition.rolesWhenEmpty] : definition.roles;
  return allowed.includes(role);
}

const date = z.iso.date();
const time = z.iso.datetime({ offset: false });

/** Why the value does not fit the field, or null where it does. `null` fits every field that holds a scalar. */
export function misfit(definition: FieldDefinition, value: unknown): string | null {
  const { type, min, max } = definition;
  if (type === "text" || type === "counter") return `${type} is not set as a whole`;
  if (value === null) return null;
  switch (type) {
    case "code":
      if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) return "a code is ASCII without blanks";
      return value.length <= max ? null : `longer than ${max} characters`;
    case "words":
      if (typeof value !== "string" || !value.isWellFormed()) return "not text";
      return value.length <= max ? null : `longer than ${max} characters`;
    case "integer":
    case "number":
      if (typeof value !== "number" || !Number.isFinite(value)) return "not a number";
      if (type === "integer" && !Number.isSafeInteger(value)) return "not a whole number";
      return value >= min && value <= max ? null : `not between ${min} and ${max}`;
    case "boolean":
      return typeof value === "boolean" ? null : "neither true nor false";
    case "enum":
      return definition.options.some((option) => option.value === value) ? null : "not one of the options";
    case "date":
      return date.safeParse(value).success ? null : "not a date as YYYY-MM-DD";
    case "time":
      return time.safeParse(value).success ? null : "not a time as RFC 3339 in UTC";
    case "set":
      return value === true ? null : "a member is true or null";
  }
}

/** Why this cannot be the key of a row, or null where it can. */
export function misfitRow(definition: FieldDefinition, row: string | undefined): string | null {
  if (!definition.column) return row === undefined ? null : "this field has no rows";
  if (row === undefined) return "this field needs the key of a row";
  if (row.length < 1 || row.length > 100 || !row.isWellFormed()) return "a row's key has 1 to 100 characters";
  if (/\p{Cc}/u.test(row) || row === "__proto__") return "a row's key has forbidden characters";
  return null;
}

/** How far along a monotone field's value is; null is not yet begun. Larger never goes back to smaller. */
export function progress(definition: FieldDefinition, value: Scalar): number {
  if (value === null) return -Infinity;
  if (definition.type === "enum") return definition.options.findIndex((option) => option.value === value);
  if (typeof value === "number") return value;
  if (definition.type === "date" || definition.type === "time") return msFromUtc(String(value));
  return 0;
}
