/** A command's answer goes to stdout; what went wrong goes to stderr. */
export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** Columns as wide as their widest cell, for a person at a terminal. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  for (const cells of [head, ...rows]) {
    print(
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
}
