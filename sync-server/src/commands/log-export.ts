import { once } from "node:events";
import { readEvent } from "@sampai/engine";
import { sqlOf } from "../database/sql.ts";
import type { EventTime } from "../order-log/event-time.ts";
import type { LogLeaf } from "../order-log/log.ts";
import { publishedTime, timesOf } from "../order-log/run-times.ts";
import { createOrderLogReader } from "../order-log/reader.ts";
import { BadUsage, optional, type Command } from "./command.ts";
import { openFolderForReading } from "./open-for-reading.ts";

const PAGE = 500;

export const logExport: Command = {
  name: "log export",
  positionals: "",
  does: "Writes the order log to stdout, one row of JSON a line (NDJSON): each event with the moments between which it must have happened. Unreadable bytes are given in base64.",
  options: { dir: { type: "string" }, from: { type: "string" } },
  explains: { dir: "the relay's data folder", from: "first position; 0 by default" },
  run: async (input) => {
    const from = Number(optional(input, "from") ?? 0);
    if (!Number.isInteger(from) || from < 0) throw new BadUsage("--from is a position.");
    const { db } = openFolderForReading(input);
    const log = createOrderLogReader(db);
    const sql = sqlOf(db);
    for (let position = from; ;) {
      const leaves = log.read(position, PAGE);
      const events = leaves.filter(({ type }) => type === "event");
      const times = timesOf(sql, events);
      const text = leaves.map((leaf) => `${JSON.stringify(lineOf(leaf, times.get(leaf.hash)))}\n`).join("");
      if (!process.stdout.write(text)) await once(process.stdout, "drain");
      position += leaves.length;
      if (leaves.length < PAGE) break;
    }
    db.close();
    return 0;
  },
};

function lineOf({ bytes, ...leaf }: LogLeaf, time: EventTime | undefined): object {
  if (leaf.type === "certificate" || leaf.type === "expiry")
    return { ...leaf, says: JSON.parse(new TextDecoder().decode(bytes)) as unknown };
  if (leaf.type !== "event") return leaf;
  const read = readEvent(bytes);
  if (read.ok) return { ...leaf, time: time === undefined ? null : publishedTime(time), event: read.value };
  if (bytes.length === 0) return { ...leaf, event: null, expired: true };
  return { ...leaf, event: null, base64: Buffer.from(bytes).toString("base64") };
}
