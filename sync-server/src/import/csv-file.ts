import { CsvError, parse } from "csv-parse/sync";
import type { Column, Row, Table } from "./columns.ts";
import type { ImportProblem } from "./problem.ts";

/** Bytes of one file: 50,000 stores with long addresses stay below it. */
export const fileBytes = 16_777_216;
/** An operator mends a file by its first problems; a file of another kind would name every row. */
const MOST_PROBLEMS = 200;
const MOST_CELL_CHARACTERS = 4_000;

interface Read<T> {
  readonly rows: readonly T[];
  readonly problems: readonly ImportProblem[];
}

/**
 * Reads one CSV file (RFC 4180, UTF-8, with or without a byte order mark, header first). Every bad cell is named; the
 * rows are complete only when there is no problem.
 */
export function readTable<C extends Record<string, Column<unknown>>>(
  table: Table<C>,
  bytes: Uint8Array,
): Read<Row<Table<C>>> {
  const { file } = table;
  const whole = (reason: string) => ({ rows: [], problems: [{ file, line: null, column: null, reason }] });
  if (bytes.length > fileBytes) return whole(`is larger than ${fileBytes} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { rows: [], problems: [{ file, line: lineOfBadByte(bytes), column: null, reason: "is not UTF-8 text" }] };
  }
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parse(text, {
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: 65_536,
    }) as unknown as typeof records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error["lines"] === "number" ? error["lines"] : null;
    return { rows: [], problems: [{ file, line, column: null, reason: `is no CSV: ${error.message}` }] };
  }
  const [header, ...body] = records;
  if (header === undefined) return whole("is empty: not even a header");
  const headerProblems = checkHeader(table, header.record);
  if (headerProblems.length > 0) return { rows: [], problems: headerProblems };
  if (body.length > table.mostRows) return whole(`has ${body.length} rows, at most ${table.mostRows} are read`);

  const problems: ImportProblem[] = [];
  const rows: Row<Table<C>>[] = [];
  const lineOfKey = new Map<string, number>();
  for (const { record, info } of body) {
    if (problems.length >= MOST_PROBLEMS) {
      problems.push({ file, line: info.lines, column: null, reason: "and more: mend these first" });
      break;
    }
    // With a quoted cell over several lines csv-parse counts the last one; a person looks for the first.
    const line = info.lines - record.reduce((sum, cell) => sum + (cell.match(/\n/g)?.length ?? 0), 0);
    if (record.length !== header.record.length) {
      const reason = `has ${record.length} cells, the header has ${header.record.length}`;
      problems.push({ file, line, column: null, reason });
      continue;
    }
    const cells = Object.fromEntries(header.record.map((name, index) => [name, record[index] ?? ""]));
    const read = readRow(table, cells, line);
    if (read.problems.length > 0) {
      problems.push(...read.problems);
      continue;
    }
    const key = JSON.stringify(table.key.map((name) => cells[name]));
    const first = lineOfKey.get(key);
    if (first !== undefined) {
      const column = table.key.join(", ");
      problems.push({ file, line, column, reason: `stands on line ${first} already` });
      continue;
    }
    lineOfKey.set(key, line);
    rows.push(read.row);
  }
  return { rows, problems };
}

function checkHeader(table: Pick<Table, "file" | "columns">, header: readonly string[]): ImportProblem[] {
  const { file } = table;
  const problem = (column: string, reason: string): ImportProblem => ({ file, line: 1, column, reason });
  const missing = Object.entries(table.columns)
    .filter(([name, { required }]) => required && !header.includes(name))
    .map(([name]) => problem(name, "this column is missing"));
  const unknown = header
    .filter((name) => !Object.hasOwn(table.columns, name))
    .map((name) => problem(name, `no such column; there are ${Object.keys(table.columns).join(", ")}`));
  const twice = header
    .filter((name, index) => header.indexOf(name) !== index)
    .map((name) => problem(name, "this column stands in the header twice"));
  return [...missing, ...unknown, ...twice];
}

function readRow<C extends Record<string, Column<unknown>>>(
  table: Table<C>,
  cells: Readonly<Record<string, string>>,
  line: number,
): { row: Row<Table<C>>; problems: ImportProblem[] } {
  const problems: ImportProblem[] = [];
  const values: Record<string, unknown> = { line };
  for (const [column, { required, schema }] of Object.entries(table.columns)) {
    const cell = cells[column] ?? "";
    const problem = (reason: string) => problems.push({ file: table.file, line, column, reason });
    values[column] = null;
    if (cell === "") {
      if (required) problem("is empty");
      continue;
    }
    if (cell.length > MOST_CELL_CHARACTERS) {
      problem(`is longer than ${MOST_CELL_CHARACTERS} characters`);
      continue;
    }
    const parsed = schema.safeParse(cell);
    if (parsed.success) values[column] = parsed.data;
    else problem(`"${cell.slice(0, 60)}" ${parsed.error.issues[0]?.message ?? "cannot be read"}`);
  }
  return { row: values as Row<Table<C>>, problems };
}

/** The line that holds the first byte which is no UTF-8. */
function lineOfBadByte(bytes: Uint8Array): number {
  let line = 1;
  let start = 0;
  for (let at = 0; at <= bytes.length; at += 1) {
    if (at < bytes.length && bytes[at] !== 0x0a) continue;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(start, at));
    } catch {
      return line;
    }
    line += 1;
    start = at + 1;
  }
  return line;
}
