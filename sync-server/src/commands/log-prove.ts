import { writeFileSync } from "node:fs";
import { openForReading } from "../database/connection.ts";
import { prove } from "../proof/prove.ts";
import { createTreeReader } from "../proof/tree-reader.ts";
import { BadUsage, optional, required, type Command } from "./command.ts";
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
    const db = openForReading(required(input, "dir"));
    try {
      const receipt = prove(createTreeReader(db), id);
      if (!receipt.ok) throw new Refused(receipt.error);
      const out = optional(input, "out");
      if (out === undefined) {
        print(receipt.value.trimEnd());
      } else {
        writeFileSync(out, receipt.value, { flag: "wx" });
        print(`The receipt of ${id} is in ${out}.`);
      }
      return Promise.resolve(0);
    } finally {
      db.close();
    }
  },
};
