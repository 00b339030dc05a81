import type { Pack } from "@sampai/engine";

/** What the workspace holds already: a file that is not given keeps what is there. */
export interface Known {
  /** The pack in force, null before the first import. */
  readonly pack: Pack | null;
  /** Codes of people who were forgotten. */
  readonly forgotten: ReadonlySet<string>;
  /** Codes of stores that have a store master. */
  readonly stores: ReadonlySet<string>;
  /** Names of the policies and detectors that there are. */
  readonly rules: ReadonlySet<string>;
}

/** What an import may refer to: the rows of a given file, else what the workspace holds. */
export function referable<R, T>(
  rows: readonly R[] | undefined,
  fromRow: (row: R) => readonly [string, T],
  held: readonly (readonly [string, T])[],
): ReadonlyMap<string, T> {
  return new Map(rows === undefined ? held : rows.map(fromRow));
}
