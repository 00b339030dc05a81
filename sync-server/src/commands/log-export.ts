import { once } from "node:events";
import { readEvent } from "@sampai/engine";
import type { LogLeaf } from "../order-log/log.ts";
import { createOrderLogReader } from "../order-log/reader.ts";
import { BadUsage, optional, type Command } from "./command.ts";
import { openFolderForReading } from "./open-for-reading.ts";

const PAGE = 500;

export const logExport: Command = {
  name: "log export",
  positionals: "",
  does: "Writes the order log to stdout, one row of JSON a line (NDJSON). Unreadable bytes are given in base64.",
  options: { dir: { type: "string" }, from: { type: "string" } },
  explains: { dir: "the relay's data folder", from: "first position; 0 by default" },
  run: async (input) => {
    const from = Number(optional(input, "from") ?? 0);
    if (!Number.isInteger(from) || from < 0) throw new BadUsage("--from is a position.");
    const { db } = openFolderForReading(input);
    const log = createOrderLogReader(db);
    for (let position = from; ;) {
      const leaves = log.read(position, PAGE);
      const text = leaves.map((leaf) => `${JSON.stringify(lineOf(leaf))}\n`).join("");
      if (!process.stdout.write(text)) await once(process.stdout, "drain");
      position += leaves.length;
      if (leaves.length < PAGE) break;
    }
    db.close();
    return 0;
  },
};

function lineOf({ bytes, ...leaf }: LogLeaf): object {
  if (leaf.type !== "event") return leaf;
  const read = readEvent(bytes);
  if (read.ok) return { ...leaf, event: read.value };
  return { ...leaf, event: null, base64: Buffer.from(bytes).toString("base64") };
}
