import {
  documentKinds,
  ringgit,
  type DocumentDefinition,
  type FieldDefinition,
  type FieldExplanation,
  type HistoryEntry,
  type ReadingRules,
  type Scalar,
  type WrittenField,
} from "@sampai/engine";

/** How documents are told to people: whose names, and in which zone the times are. */
export interface Telling {
  readonly definition: DocumentDefinition;
  readonly rules: Pick<ReadingRules, "names">;
  readonly zone: string;
}

/** The field that a person means by its name, its label, or either with the row behind a slash; null where none is meant. */
export function fieldMeant(
  definition: DocumentDefinition,
  typed: string,
): { readonly field: string; readonly row: string | null } | null {
  const slash = typed.indexOf("/");
  const [name, row] = slash < 0 ? [typed, null] : [typed.slice(0, slash), typed.slice(slash + 1)];
  const plain = name.trim().toLowerCase();
  for (const [field, { label }] of Object.entries(definition.fields)) {
    if ([field, label.en, label.ms].some((known) => known.toLowerCase() === plain)) return { field, row };
  }
  return null;
}

/** `Credit limit`, `Shelf price of 1047`. */
export function fieldName({ definition }: Telling, field: string, row: string | null): string {
  const label = fieldOf(definition, field).label.en;
  return row === null ? label : `${label} of ${row}`;
}

/** A value as a person reads it: money in ringgit, options by their names, words in quotation marks. */
export function valueText({ definition }: Telling, field: string, value: Scalar): string {
  if (value === null) return "nothing";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return field.endsWith("Sen") ? ringgit(value) : String(value);
  const option = fieldOf(definition, field).options.find((one) => one.value === value);
  return `“${option?.label.en ?? value}”`;
}

/** `23 Nov 2026, 15:15`, in the workspace's zone; `exact` adds the seconds. */
export function timeText({ zone }: Telling, at: string, exact = false): string {
  const timeStyle = exact ? "medium" : "short";
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle, timeZone: zone }).format(new Date(at));
}

/** `Aminah (rep)`. */
export function authorText({ rules }: Telling, { by, role }: { readonly by: string; readonly role: string }): string {
  const name = Object.hasOwn(rules.names, by) ? (rules.names[by] ?? by) : by;
  if (by === "import") return "HQ's import";
  return role === "unknown" ? name : `${name} (${role === "hq" ? "HQ" : role})`;
}

/** What one change did, in a line; null for the document's own beginnings. */
export function historyLine(telling: Telling, entry: HistoryEntry, vouched: boolean): string | null {
  if (entry.edits.length === 0) return null;
  const done = entry.edits.map((edit) => editText(telling, edit)).join(", ");
  const brought = vouched ? " (brought by another device)" : "";
  return `${timeText(telling, entry.at)}  ${authorText(telling, entry)} ${done}${brought}`;
}

function editText(telling: Telling, edit: WrittenField): string {
  const name = fieldName(telling, edit.field, edit.row);
  if (edit.does === "increment") return `counted ${edit.by} more in ${name}`;
  if (edit.does === "text") {
    const parts = [
      ...(edit.inserted === "" ? [] : [`wrote “${shortened(edit.inserted)}” into ${name}`]),
      ...(edit.removed === 0 ? [] : [`took ${edit.removed} characters out of ${name}`]),
    ];
    return parts.join(" and ");
  }
  if (fieldOf(telling.definition, edit.field).type === "set") {
    const label = fieldOf(telling.definition, edit.field).label.en;
    return edit.value === true ? `added ${edit.row} to ${label}` : `took ${edit.row} out of ${label}`;
  }
  return `set ${name} to ${valueText(telling, edit.field, edit.value)}`;
}

/** Why a field has the value it has: the value, who wrote it, what was not taken, and the reason. */
export function explanationLines(telling: Telling, explained: FieldExplanation, about: string): string[] {
  const { field, key, value, winner, losers } = explained;
  const name = fieldName(telling, field, key);
  const empty = value === null || value === "";
  const first = `${name} of ${about} ${empty ? "has no value" : `is ${valueText(telling, field, value)}`}.`;
  if (winner === null) return [first, explained.reason.en];
  // Which of two edits is the later one shows only in the seconds where both were made within one minute.
  const minute = (at: string) => at.slice(0, "2026-11-23T15:15".length);
  const exact = losers.some(({ at }) => minute(at) === minute(winner.at));
  const wrote = `${authorText(telling, winner)} wrote it on ${timeText(telling, winner.at, exact)}.`;
  if (losers.length === 0) return [first, wrote, "Nobody disagrees about it."];
  const unaware = losers
    .map(
      (loser) =>
        `${authorText(telling, loser)} wrote ${valueText(telling, field, loser.value)} on ${timeText(telling, loser.at, exact)}`,
    )
    .join("; ");
  return [
    first,
    wrote,
    `Without knowing of it, ${unaware}.`,
    `Why: ${explained.reason.en}`,
    "Nothing is lost: to decide otherwise, edit the field; the new value replaces all of them.",
  ];
}

function fieldOf(definition: DocumentDefinition, field: string): FieldDefinition {
  return definition.fields[field] as FieldDefinition;
}

function shortened(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}

/** Kinds by name, for what was typed. */
export function definitionOf(kind: string): DocumentDefinition | null {
  return Object.values(documentKinds).find((definition) => definition.kind === kind) ?? null;
}
