import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { tables } from "./columns.ts";
import { fileBytes } from "./csv-file.ts";

/** Files of an import by their names, as they were handed in. */
export type ImportFiles = Readonly<Record<string, Uint8Array>>;

export const importFileNames: readonly string[] = Object.values(tables).map(({ file }) => file);

/** The import files in a folder. Other files are left alone; one that is too large is read far enough to be refused. */
export function readCsvFolder(folder: string): ImportFiles {
  const found = readdirSync(folder).filter((name) => importFileNames.includes(name));
  return Object.fromEntries(
    found.map((name) => {
      const file = path.join(folder, name);
      const oversized = statSync(file).size > fileBytes;
      return [name, oversized ? new Uint8Array(fileBytes + 1) : new Uint8Array(readFileSync(file))];
    }),
  );
}
