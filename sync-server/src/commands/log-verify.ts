import { createOrderLogReader } from "../order-log/reader.ts";
import { verifyLog } from "../order-log/verify.ts";
import { verifyTrail } from "../trail/verify.ts";
import type { Command } from "./command.ts";
import { openFolderForReading, workspaceIn } from "./open-for-reading.ts";
import { print } from "./print.ts";

export const logVerify: Command = {
  name: "log verify",
  positionals: "",
  does: "Checks every row of the order log and of the trail, and names the first one that is not as it was written.",
  options: { dir: { type: "string" } },
  explains: { dir: "the relay's data folder" },
  run: (input) => {
    const { db, dir } = openFolderForReading(input);
    try {
      const total = createOrderLogReader(db).head();
      let walked = 0;
      const expired = new Map<number, number>();
      const leaf = verifyLog(
        db,
        workspaceIn(dir),
        (position) => {
          walked = position;
          progress(`order log ${position} of ${total}`);
        },
        (_position, decision) => expired.set(decision, (expired.get(decision) ?? 0) + 1),
      );
      let trailRows = 0;
      const row = verifyTrail(db, (position) => {
        trailRows = position;
        progress(`trail ${position}`);
      });
      progress("");
      if (leaf !== null) print(`order log: row ${leaf.position} ${leaf.what}.`);
      else print(`order log: ${walked} rows, all as they were written.`);
      for (const [decision, rows] of expired) print(`order log: ${rows} rows expired by decision ${decision}.`);
      if (row !== null) print(`trail: row ${row.position} ${row.what}.`);
      else print(`trail: ${trailRows} rows, all as they were written.`);
      return Promise.resolve(leaf === null && row === null ? 0 : 1);
    } finally {
      db.close();
    }
  },
};

// Only for a person at a terminal: one line that is written over.
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}
