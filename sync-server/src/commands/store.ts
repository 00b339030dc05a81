import { conflictsOf, explainField, historyOf, viewOf, type DocumentDefinition } from "@sampai/engine";
import { readFileSync } from "node:fs";
import path from "node:path";
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
import { openFolderForReading, workspaceIdIn } from "./open-for-reading.ts";
import { Refused } from "./operator.ts";
import { print } from "./print.ts";

const options = { dir: { type: "string" }, kind: { type: "string" } } as const;
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
    reading(input, ({ replica, rules }, telling, wanted) => {
      if (wanted === null) throw new BadUsage("Name a field.");
      const { column } = telling.definition.fields[wanted.field] ?? { column: false };
      if (column !== (wanted.row !== null)) {
        const name = fieldName(telling, wanted.field, null);
        throw new BadUsage(column ? `${name} has rows: write ${wanted.field}/ROW.` : `${name} has no rows.`);
      }
      const explained = explainField(replica, telling.definition.kind, rules, wanted.field, wanted.row);
      for (const line of explanationLines(telling, explained, telling.about)) print(line);
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
  const [key, typedField, ...rest] = input.positionals;
  if (key === undefined || rest.length > 0) throw new BadUsage("Name one store, and at most one field.");
  const kind = optional(input, "kind") ?? "store";
  const definition = definitionOf(kind);
  if (definition === null) throw new BadUsage(`There is no kind of document ${kind}.`);
  const field = typedField === undefined ? null : fieldMeant(definition, typedField);
  if (typedField !== undefined && field === null) throw new BadUsage(noField(definition, typedField));
  const { db, dir } = openFolderForReading(input);
  try {
    const read = await readDocument(db, workspaceIdIn(dir), definition.kind, key);
    if (!read.ok) throw new Refused(read.error);
    const { value } = viewOf(read.value.replica, definition.kind, read.value.rules);
    const name = value["name"];
    const about = typeof name === "string" && name !== "" ? `${name} (${key})` : key;
    const past = () =>
      db
        .prepare("select at, detail from trail where item = ? and topic = 'document.conflict' order by position")
        .all(read.value.row.doc)
        .map(({ at, detail }) => ({ at: String(at), ...(JSON.parse(String(detail)) as Omit<PastConflict, "at">) }));
    tell({ ...read.value, past }, { definition, rules: read.value.rules, zone: zoneIn(dir), about }, field);
    return 0;
  } finally {
    db.close();
  }
}

function noField(definition: DocumentDefinition, typed: string): string {
  const known = Object.keys(definition.fields).join(", ");
  return `A ${definition.kind} has no field ${typed}. It has ${known}.`;
}

function zoneIn(dir: string): string {
  return (JSON.parse(readFileSync(path.join(dir, "workspace.json"), "utf8")) as { zone: string }).zone;
}
