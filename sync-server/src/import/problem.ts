/** One thing that is wrong with one cell, row or file of an import. `line` counts from 1, the header's line included. */
export interface ImportProblem {
  readonly file: string;
  /** Null where the file as a whole is meant. */
  readonly line: number | null;
  readonly column: string | null;
  readonly reason: string;
}

/** `refused`: nothing is imported while one of these stands. `warnings`: imported, but somebody should look. */
export interface ImportFindings {
  readonly refused: ImportProblem[];
  readonly warnings: ImportProblem[];
}

/** As an operator reads it: `stores.csv:12 lat: is outside Malaysia`. */
export function problemLine({ file, line, column, reason }: ImportProblem): string {
  const where = line === null ? file : `${file}:${line}`;
  return column === null ? `${where}: ${reason}` : `${where} ${column}: ${reason}`;
}
