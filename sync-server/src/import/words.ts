import { tables, type Column } from "./columns.ts";
import type { PutCounts } from "../documents/put-documents.ts";
import type { ImportSummary } from "./import.ts";
import { problemLine, type ImportProblem } from "./problem.ts";

/** What an operator reads after an import. */
export function summaryLines(summary: ImportSummary): readonly string[] {
  const { pack, rows, stores, plans, week, warnings } = summary;
  const read = Object.entries(rows).map(([name, count]) => `${count} ${name}`);
  return [
    `Read ${read.join(", ")}.`,
    pack.isNew
      ? `Issued reference pack ${pack.number} (SHA-256 ${pack.sha256.slice(0, 12)}…).`
      : `Reference pack ${pack.number} stays in force: the files say nothing new.`,
    `Store masters: ${countWords(stores)}.`,
    `Journey plans, +0 is ${week}: ${countWords(plans)}.`,
    ...(warnings.length === 0
      ? []
      : ["Imported, but please look at:", ...warnings.map((one) => `  ${problemLine(one)}`)]),
  ];
}

export function refusalLines(problems: readonly ImportProblem[]): readonly string[] {
  const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
  return [`Nothing was imported: ${count}.`, ...problems.map((one) => `  ${problemLine(one)}`)];
}

function countWords({ created, changed, unchanged }: PutCounts): string {
  return `${created} new, ${changed} changed, ${unchanged} as they were`;
}

/** Every file with its columns, for `sampai import --help`. */
export function columnsHelp(): string {
  const files = Object.values(tables).map((table) => {
    const columns: [string, Column<unknown>][] = Object.entries(table.columns);
    const width = Math.max(...columns.map(([name]) => name.length));
    const lines = columns.map(([name, { meaning, type, required, example }]) => {
      const need = required ? "needed" : "optional";
      return `    ${name.padEnd(width)}  ${need.padEnd(8)}  ${meaning}. ${type}, such as ${example}`;
    });
    return [`  ${table.file}: ${table.holds}`, ...lines].join("\n");
  });
  return [
    "CSV with a header, UTF-8. Give only the files that change: the others stay as they are in force. The first import",
    "needs territories.csv, reps.csv and goods.csv. Nothing is written while one row of one file is wrong.",
    "",
    ...files,
  ].join("\n");
}
