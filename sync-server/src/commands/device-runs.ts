import { runsOf, type DeviceRun } from "../order-log/runs.ts";
import { BadUsage, type Command } from "./command.ts";
import { openFolderForReading } from "./open-for-reading.ts";
import { print, printTable } from "./print.ts";

export const deviceRuns: Command = {
  name: "device runs",
  positionals: "DEVICE",
  does: "Shows a device's runs, one for each start of its app, and where two of them part: a copied or restored phone.",
  options: { dir: { type: "string" }, json: { type: "boolean" } },
  explains: { dir: "the relay's data folder", json: "one line of JSON" },
  run: (input) => {
    const [device] = input.positionals;
    if (device === undefined) throw new BadUsage("A device's id is needed; `log tail` shows them.");
    const { db } = openFolderForReading(input);
    try {
      const runs = runsOf(db, device);
      if (input.values["json"] === true) print(JSON.stringify(runs));
      else
        printTable(
          ["run", "events", "positions", "goes on from", "parts"],
          runs.map((run) => [run.run, String(run.events), `${run.first}-${run.last}`, fromOf(run), partsOf(run)]),
        );
      return Promise.resolve(runs.length === 0 ? 1 : 0);
    } finally {
      db.close();
    }
  },
};

function fromOf({ follows }: DeviceRun): string {
  return follows === null ? "" : `${follows.run} ${follows.seq}`;
}

function partsOf({ fork, branches }: DeviceRun): string {
  const parts = [...(fork ? ["beside another run"] : []), ...branches.map((seq) => `two events at ${seq}`)];
  return parts.join(", ");
}
