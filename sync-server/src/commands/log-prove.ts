import { writeFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { prove } from "../proof/prove.ts";
import { createTreeReader } from "../proof/tree-reader.ts";
import { BadUsage, cannotWrite, optional, type Command } from "./command.ts";
import { openFolderForReading } from "./open-for-reading.ts";
import { Refused } from "./operator.ts";
import { print } from "./print.ts";

export const logProve: Command = {
  name: "log prove",
  positionals: "ID",
  does: "Writes the receipt of an event: anyone can check it with the log's public key, without a relay.",
  options: { dir: { type: "string" }, out: { type: "string" }, event: { type: "string" } },
  explains: {
    dir: "the relay's data folder",
    out: "the file to write; standard output by default",
    event: "also writes the event's bytes, as they are stored, to this file: their SHA-256 stands in the receipt",
  },
  more: [
    "ID is an offline id, an event's hash, or a position such as 17 or '#17': `sampai log tail` and `log export` show them.",
    "What cannot be read has no offline id, and is proved by hash or position. So is every other row of the log.",
  ].join("\n"),
  run: (input) => {
    const [id] = input.positionals;
    if (id === undefined) throw new BadUsage("An offline id, a hash or a position is needed.");
    const { db } = openFolderForReading(input);
    try {
      const reader = createTreeReader(db);
      const receipt = prove(reader, id);
      if (!receipt.ok) throw new Refused(receipt.error);
      const event = optional(input, "event");
      if (event !== undefined) writeNew("event", event, bytesAt(db, reader.positionOf(id)?.position));
      const out = optional(input, "out");
      if (out === undefined) {
        print(receipt.value.trimEnd());
      } else {
        writeNew("out", out, receipt.value);
        print(`The receipt of ${id} is in ${out}.`);
      }
      return Promise.resolve(0);
    } finally {
      db.close();
    }
  },
};

function bytesAt(db: DatabaseSync, position: number | undefined): Uint8Array {
  const row = db
    .prepare(
      `select bytes, decision from log left join expired on expired.position = log.position where log.position = ?`,
    )
    .get(position ?? -1) as { bytes: Uint8Array; decision: number | null } | undefined;
  if (row === undefined) throw new Refused({ code: "log.unknown" });
  if (row.decision !== null)
    throw new BadUsage(
      `--event: the bytes are gone by decision #${row.decision}; the receipt still proves their hash.`,
    );
  return row.bytes;
}

/** A receipt is evidence: none is written over. */
function writeNew(option: string, file: string, content: string | Uint8Array): void {
  try {
    writeFileSync(file, content, { flag: "wx" });
  } catch (error) {
    throw cannotWrite(option, file, error);
  }
}
