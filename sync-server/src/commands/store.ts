import { conflictsOf, explainField, historyOf, viewOf, type DocumentDefinition } from "@sampai/engine";
import type { ReadDocument } from "../documents/read-document.ts";
import { readDocument } from "../documents/read-document.ts";
import {
  definitionOf,
  explanationLines,
  fieldMeant,
  fieldName,
  historyLine,
  timeText,
  type Telling,
} from "../documents/told.ts";
import { BadUsage, optional, type Command, type CommandInput } from "./command.ts";
import { openFolderForReading, workspaceIn } from "./open-for-reading.ts";
import { Refused } from "./operator.ts";
import { print } from "./print.ts";
import { notAdmission } from "../trail/reader.ts";

const options = { dir: { type: "string" }, kind: { type: "string" } } as const;
/** Rows that are named where one has to be chosen. */
const SHOWN_ROWS = 5;

const explains = {
  dir: "the relay's data folder, whether a relay works in it or not",
  kind: "another kind of document: visit or plan",
};

export const storeHistory: Command = {
  name: "store history",
  positionals: "KEY [FIELD]",
  does: "Tells what was written into a store, by whom and when. With FIELD (or FIELD/ROW) only of that.",
  options,
  explains,
  run: (input) =>
    reading(input, ({ replica, changes }, telling, field) => {
      const entries = historyOf(replica, telling.definition.kind, field?.field, field?.row ?? undefined);
      const lines = entries.flatMap(
        (entry) => historyLine(telling, entry, changes.get(entry.change)?.vouched ?? false) ?? [],
      );
      for (const line of lines) print(line);
      if (lines.length === 0) print("Nobody has written this.");
    }),
};

export const storeConflicts: Command = {
  name: "store conflicts",
  positionals: "KEY [FIELD]",
  does: "Tells where people disagree about a store now, and where they did before.",
  options,
  explains,
  run: (input) =>
    reading(input, ({ replica, rules, past }, telling, wanted) => {
      const meant = (field: string, row: string | null) =>
        wanted === null || (wanted.field === field && (wanted.row === null || wanted.row === row));
      const open = conflictsOf(replica, telling.definition.kind, rules).filter(({ field, key }) => meant(field, key));
      for (const conflict of open) {
        for (const line of explanationLines(telling, conflict, telling.about)) print(line);
        print();
      }
      if (open.length === 0) print(`Nobody disagrees about ${telling.about} now.`);
      const earlier = past().filter(({ field, row }) => meant(field, row));
      if (earlier.length > 0) print("Disagreements so far:");
      for (const { at, field, row, reason } of earlier) {
        print(`${timeText(telling, at)}  ${fieldName(telling, field, row)}: ${reason}`);
      }
    }),
};

export const storeExplain: Command = {
  name: "store explain",
  positionals: "KEY FIELD",
  does: "Tells why a field of a store has the value it has. FIELD is its name or label, with /ROW for a row.",
  options,
  explains,
  run: (input) =>
    reading(input, ({ replica, rules, past }, telling, wanted) => {
      if (wanted === null) throw new BadUsage("Name a field.");
      const { kind, fields } = telling.definition;
      const column = fields[wanted.field]?.column === true;
      if (column !== (wanted.row !== null)) {
        const rows = viewOf(replica, kind, rules).value[wanted.field];
        throw new BadUsage(rowsWanted(fieldName(telling, wanted.field, null), wanted.field, column ? rows : null));
      }
      const explained = explainField(replica, kind, rules, wanted.field, wanted.row);
      for (const line of explanationLines(telling, explained, telling.about)) print(line);
      const before = past().filter(({ field, row }) => field === wanted.field && row === wanted.row);
      if (explained.losers.length === 0 && before.length > 0) {
        print("People disagreed about it before; `store conflicts` and `store history` tell how.");
      }
    }),
};

interface PastConflict {
  readonly at: string;
  readonly field: string;
  readonly row: string | null;
  readonly reason: string;
}

type Told = (
  document: ReadDocument & { readonly past: () => readonly PastConflict[] },
  telling: Telling & { readonly about: string },
  field: { readonly field: string; readonly row: string | null } | null,
) => void;

async function reading(input: CommandInput, tell: Told): Promise<0> {
  const [key, typedField] = input.positionals;
  if (key === undefined) throw new BadUsage("Name one store, and at most one field.");
  const kind = optional(input, "kind") ?? "store";
  const definition = definitionOf(kind);
  if (definition === null) throw new BadUsage(`There is no kind of document ${kind}.`);
  const field = typedField === undefined ? null : fieldMeant(definition, typedField);
  if (typedField !== undefined && field === null) throw new BadUsage(noField(definition, typedField));
  const { db, dir } = openFolderForReading(input);
  try {
    const workspace = workspaceIn(dir);
    const read = await readDocument(db, workspace.id, definition.kind, key);
    if (!read.ok) throw new Refused(read.error);
    const { value } = viewOf(read.value.replica, definition.kind, read.value.rules);
    const name = value["name"];
    const about = typeof name === "string" && name !== "" ? `${name} (${key})` : key;
    const past = () =>
      db
        .prepare(
          `select at, detail from trail where item = ? and ${notAdmission} and topic = 'document.conflict' order by position`,
        )
        .all(read.value.row.doc)
        .map(({ at, detail }) => ({ at: String(at), ...(JSON.parse(String(detail)) as Omit<PastConflict, "at">) }));
    tell({ ...read.value, past }, { definition, rules: read.value.rules, zone: workspace.zone, about }, field);
    return 0;
  } finally {
    db.close();
  }
}

/** What to write instead, with the first rows that there are; `rows` is null for a field without any. */
function rowsWanted(name: string, field: string, rows: unknown): string {
  if (rows === null) return `${name} has no rows: write ${field} alone.`;
  const keys = Array.isArray(rows) ? rows.map(String) : Object.keys(rows ?? {});
  if (keys.length === 0) return `${name} has a row for each key, and none yet: write ${field}/ROW.`;
  return `${name} has rows: write ${keys
    .slice(0, SHOWN_ROWS)
    .map((key) => `${field}/${key}`)
    .join(", ")}${keys.length > SHOWN_ROWS ? ", …" : ""}.`;
}

function noField(definition: DocumentDefinition, typed: string): string {
  const known = Object.keys(definition.fields).join(", ");
  return `A ${definition.kind} has no field ${typed}. It has ${known}.`;
}
