import { err, ok, type Result } from "@sampai/engine";
import { tables, type Rows, type Table, type TableName } from "./columns.ts";
import { crossCheck } from "./cross-check.ts";
import { readTable } from "./csv-file.ts";
import { importFileNames, type ImportFiles } from "./csv-folder.ts";
import type { Known } from "./known.ts";
import type { ImportProblem } from "./problem.ts";

/** Without these a workspace cannot work, so its first import needs them. */
const firstFiles = ["territories", "reps", "goods"] as const;

export interface CheckedFiles {
  readonly rows: Rows;
  readonly warnings: readonly ImportProblem[];
}

/**
 * Reads and checks everything before anything is written. Answers the rows, or every problem of every file: what one
 * file says of another is checked only when each can be read.
 */
export function readFiles(
  files: ImportFiles,
  known: Known,
  baseWeek: string,
): Result<CheckedFiles, readonly ImportProblem[]> {
  const ofFile = (file: string, reason: string): ImportProblem => ({ file, line: null, column: null, reason });
  const problems: ImportProblem[] = Object.keys(files)
    .filter((name) => !importFileNames.includes(name))
    .map((name) => ofFile(name.slice(0, 100), `no such file; there are ${importFileNames.join(", ")}`));
  if (Object.keys(files).length === 0) {
    problems.push(ofFile("import", `holds no file; there are ${importFileNames.join(", ")}`));
  } else if (known.pack === null) {
    const missing = firstFiles.map((name) => tables[name].file).filter((file) => files[file] === undefined);
    problems.push(...missing.map((file) => ofFile(file, "is missing: a workspace's first import needs it")));
  }
  const rows: Partial<Record<TableName, readonly object[]>> = {};
  for (const [name, table] of Object.entries(tables) as [TableName, Table][]) {
    const bytes = files[table.file];
    if (bytes === undefined) continue;
    const read = readTable(table, bytes);
    problems.push(...read.problems);
    rows[name] = read.rows;
  }
  if (problems.length > 0) return err(problems);
  const checked = crossCheck(rows as Rows, known, baseWeek);
  if (checked.refused.length > 0) return err(checked.refused);
  return ok({ rows: rows as Rows, warnings: checked.warnings });
}
