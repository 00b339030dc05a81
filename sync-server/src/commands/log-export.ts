import { readEvent } from "@sampai/engine";
import { sqlOf, type Sql } from "../database/sql.ts";
import type { EventTime } from "../order-log/event-time.ts";
import type { LogLeaf } from "../order-log/log.ts";
import { publishedTime, timesOf } from "../order-log/run-times.ts";
import { createOrderLogReader } from "../order-log/sqlite-log.ts";
import { BadUsage, optional, type Command } from "./command.ts";
import { openFolderForReading } from "./open-for-reading.ts";
import { printLong } from "./print.ts";

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
      const leaves = await log.read(position, PAGE);
      const events = leaves.filter(({ type }) => type === "event");
      const times = timesOf(sql, events);
      const text = leaves.map((leaf) => `${JSON.stringify(lineOf(sql, leaf, times.get(leaf.hash)))}\n`).join("");
      await printLong(text);
      position += leaves.length;
      if (leaves.length < PAGE) break;
    }
    db.close();
    return 0;
  },
};

function lineOf(sql: Sql, { bytes, ...leaf }: LogLeaf, time: EventTime | undefined): object {
  if (leaf.type === "certificate" || leaf.type === "expiry")
    return { ...leaf, says: JSON.parse(new TextDecoder().decode(bytes)) as unknown };
  if (leaf.type !== "event") return leaf;
  const read = readEvent(bytes);
  if (read.ok) return { ...leaf, time: time === undefined ? null : publishedTime(time), event: read.value };
  const expired = expiryOf(sql, leaf.position);
  if (bytes.length === 0 && expired !== null) return { ...leaf, event: null, ...expired };
  return { ...leaf, event: null, base64: Buffer.from(bytes).toString("base64") };
}

/** The decision by which an event's bytes are gone, and what the books keep of it. */
function expiryOf(sql: Sql, position: number): { readonly expiredBy: number; readonly remains: unknown } | null {
  const row = sql("select decision, remains from expired where position = ?").get(position) as
    | { decision: number; remains: Uint8Array | null }
    | undefined;
  if (row === undefined) return null;
  const remains = row.remains === null ? null : (JSON.parse(new TextDecoder().decode(row.remains)) as unknown);
  return { expiredBy: row.decision, remains };
}
