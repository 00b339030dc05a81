import { writeFileSync } from "node:fs";
import { prove } from "../proof/prove.ts";
import { createTreeReader } from "../proof/tree-reader.ts";
import { BadUsage, cannotWrite, optional, type Command } from "./command.ts";
import { openFolderForReading } from "./open-for-reading.ts";
import { Refused } from "./operator.ts";
import { print } from "./print.ts";

export const logProve: Command = {
  name: "log prove",
  positionals: "OFFLINE-ID",
  does: "Writes the receipt of an event: anyone can check it with the log's public key, without a relay.",
  options: { dir: { type: "string" }, out: { type: "string" } },
  explains: { dir: "the relay's data folder", out: "the file to write; standard output by default" },
  run: (input) => {
    const [id] = input.positionals;
    if (id === undefined) throw new BadUsage("An offline id is needed.");
    const { db } = openFolderForReading(input);
    try {
      const receipt = prove(createTreeReader(db), id);
      if (!receipt.ok) throw new Refused(receipt.error);
      const out = optional(input, "out");
      if (out === undefined) {
        print(receipt.value.trimEnd());
      } else {
        try {
          writeFileSync(out, receipt.value, { flag: "wx" });
        } catch (error) {
          throw cannotWrite("out", out, error);
        }
        print(`The receipt of ${id} is in ${out}.`);
      }
      return Promise.resolve(0);
    } finally {
      db.close();
    }
  },
};
