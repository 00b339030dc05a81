import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { exportFile, exportPerson } from "../privacy/person-export.ts";
import { BadUsage, cannotWrite, required, type Command } from "./command.ts";
import { openFolderForReading } from "./open-for-reading.ts";
import { Refused } from "./operator.ts";
import { print } from "./print.ts";

export const personExport: Command = {
  name: "person export",
  positionals: "CODE",
  does: "Writes everything that is held about a person: a file of JSON lines, and the photos beside it.",
  options: { dir: { type: "string" }, out: { type: "string" } },
  explains: { dir: "the relay's data folder", out: "the folder to write into; made where it is not there" },
  run: async (input) => {
    const [person] = input.positionals;
    if (person === undefined) throw new BadUsage("A person's code such as R012 is needed.");
    const out = path.resolve(required(input, "out"));
    if (statSync(out, { throwIfNoEntry: false })?.isDirectory() === false)
      throw new BadUsage(`--out: ${out} is no folder.`);
    const file = exportFile(out, person);
    if (existsSync(file)) throw new BadUsage(`${file} is there already: an earlier export is not written over.`);
    const { db, dir } = openFolderForReading(input);
    try {
      const done = await exportPerson(db, dir, person, out).catch((error: unknown) => {
        const where = (error as NodeJS.ErrnoException).path;
        throw where?.startsWith(out) === true ? cannotWrite("out", out, error) : error;
      });
      if (done === null) throw new Refused({ code: "person.unknown", detail: person });
      print(JSON.stringify({ person, ...done }));
      return 0;
    } finally {
      db.close();
    }
  },
};
