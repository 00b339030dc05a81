import { termReport, type LostPosition } from "../order-log/lost.ts";
import { readerTerms } from "../order-log/sqlite-terms.ts";
import type { Command } from "./command.ts";
import { openFolderForReading } from "./open-for-reading.ts";
import { print } from "./print.ts";

export const termList: Command = {
  name: "term list",
  positionals: "",
  does: "Shows the terms of the order log, and what a restore took away: brought back, on its way, held by nobody.",
  options: { dir: { type: "string" }, json: { type: "boolean" } },
  explains: { dir: "the relay's data folder", json: "one line of JSON" },
  run: (input) => {
    const { db } = openFolderForReading(input);
    try {
      const report = termReport(readerTerms(db));
      if (input.values["json"] === true) {
        print(JSON.stringify(report));
        return Promise.resolve(0);
      }
      for (const { term, start, end } of report.terms) {
        print(
          `term ${term}: from position ${start}${end === null ? ", the current one" : `; its receipts hold before ${end}`}`,
        );
      }
      for (const one of report.lost) {
        print();
        print(
          `Term ${one.term} was restored to ${one.from} on ${one.at}; ${one.until - one.from} positions were lost:`,
        );
        print(
          `  ${one.back} are back, ${one.named} are named by a device and on their way, ${one.nobody} nobody holds.`,
        );
        for (const position of one.missing.slice(0, 100)) print(`  ${sentence(position)}`);
        if (one.missing.length > 100) print(`  and ${one.missing.length - 100} more: --json lists them.`);
      }
      return Promise.resolve(0);
    } finally {
      db.close();
    }
  },
};

function sentence({ position, state, device }: LostPosition): string {
  return state === "named"
    ? `${position}: device ${device ?? ""} holds a receipt for it; it is not here yet.`
    : `${position}: nobody has named it. It may be a note of the relay's own, or of a device that was not heard since.`;
}
