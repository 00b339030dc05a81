/** Standard output takes nothing more: whoever read it is gone (`EPIPE`), or its disk is full. */
export class OutputFailed extends Error {
  override readonly name = "OutputFailed";
  readonly code: string;
  constructor(fault: NodeJS.ErrnoException) {
    super(`Standard output cannot be written: ${fault.message}.`);
    this.code = fault.code ?? "";
  }
}

let failed: OutputFailed | null = null;
const keepFault = (fault: NodeJS.ErrnoException) => {
  failed ??= new OutputFailed(fault);
};
const passOver = () => undefined;

/** A failed write is told when the loop turns. From here on it ends the command in order, and not the process at once. */
export function keepOutputFaults(): void {
  process.stdout.off("error", keepFault).on("error", keepFault);
  process.stderr.off("error", passOver).on("error", passOver);
}

/** Waits until everything that was printed is written. Throws `OutputFailed`. */
export async function outputWritten(): Promise<void> {
  await printLong("");
}

/** A command's answer goes to stdout; what went wrong goes to stderr. Throws `OutputFailed` where a line before has failed. */
export function print(line = ""): void {
  if (failed !== null) throw failed;
  process.stdout.write(`${line}\n`);
}

/** Lines of an answer that is too long for memory, as they are: waits until they are written. Throws `OutputFailed`. */
export async function printLong(lines: string): Promise<void> {
  await new Promise<void>((resolve) => process.stdout.write(lines, () => resolve()));
  // The stream tells of a fault right behind the write.
  await new Promise(setImmediate);
  if (failed !== null) throw failed;
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
