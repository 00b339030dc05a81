import type { ParseArgsOptionsConfig } from "node:util";

/** One command of the command line. Its file stands in this folder, its line in `index.ts`. */
export interface Command {
  /** As typed, such as `log tail`. */
  readonly name: string;
  /** What follows the name, such as `KEY [FIELD]`, and no more than that; with `…` any number. */
  readonly positionals: string;
  readonly does: string;
  readonly options: ParseArgsOptionsConfig;
  /** A line for each option, in the order of `options`. */
  readonly explains: Readonly<Record<string, string>>;
  /** What stands below the options in its help. */
  readonly more?: string;
  run(input: CommandInput): Promise<ExitCode>;
}

/** 0: done. 1: done, and the answer is bad news (not found, not sound). 2: could not be done as asked. */
export type ExitCode = 0 | 1 | 2;

export interface CommandInput {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
}

/** What was typed cannot be run: the sentence goes to stderr with the command's help, and the status is 2. */
export class BadUsage extends Error {
  override readonly name = "BadUsage";
}

/** What to say where the file or folder that an option names cannot be made. */
export function cannotWrite(option: string, name: string, error: unknown): BadUsage {
  const code = String((error as NodeJS.ErrnoException).code);
  const why = code === "EEXIST" ? "is there already" : `cannot be made or written (${code})`;
  return new BadUsage(`--${option}: ${name} ${why}.`);
}

export function required(input: CommandInput, option: string): string {
  const value = input.values[option];
  if (typeof value !== "string" || value === "") throw new BadUsage(`--${option} is needed.`);
  return value;
}

export function optional(input: CommandInput, option: string): string | undefined {
  const value = input.values[option];
  return typeof value === "string" ? value : undefined;
}
