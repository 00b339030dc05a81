import { readEvent } from "@sampai/engine";
import type { LogLeaf } from "../order-log/log.ts";
import { createOrderLogReader } from "../order-log/sqlite-log.ts";
import { BadUsage, optional, type Command } from "./command.ts";
import { openFolderForReading } from "./open-for-reading.ts";
import { print, printTable } from "./print.ts";

export const logTail: Command = {
  name: "log tail",
  positionals: "",
  does: "Shows the newest rows of the order log.",
  options: { dir: { type: "string" }, count: { type: "string" } },
  explains: { dir: "the relay's data folder", count: "how many rows; 20 by default" },
  run: async (input) => {
    const count = Number(optional(input, "count") ?? 20);
    if (!Number.isInteger(count) || count < 1 || count > 10_000) throw new BadUsage("--count is from 1 to 10000.");
    const { db } = openFolderForReading(input);
    const log = createOrderLogReader(db);
    const head = await log.head();
    const leaves = await log.read(Math.max(0, head - count), count);
    const expired = db.prepare("select 1 from expired where position = ?");
    printTable(
      ["position", "received", "device", "run", "seq", "kind", "offline id, or hash", "flags"],
      leaves.map((leaf) => cellsOf(leaf, expired.get(leaf.position) !== undefined)),
    );
    print(`next position ${head}`);
    db.close();
    return 0;
  },
};

function cellsOf(leaf: LogLeaf, expired: boolean): string[] {
  const read = leaf.type === "event" ? readEvent(leaf.bytes) : null;
  const kind = read === null ? leaf.type : read.ok ? read.value.kind : expired ? "expired" : "unreadable";
  const { position, received, device, run, seq, flags } = leaf;
  // What `log prove` finds it by; the relay's own rows are found by their position.
  const name = read === null ? "" : read.ok ? read.value.id : leaf.hash;
  return [String(position), received, device, run, String(seq), kind, name, flags.join(" ")];
}
