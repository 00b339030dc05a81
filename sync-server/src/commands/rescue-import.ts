import { createSystemClock } from "@sampai/engine/adapters/clock";
import { limits } from "@sampai/engine/wire";
import { readFileSync, statSync } from "node:fs";
import pino from "pino";
import { readConfig } from "../config.ts";
import { documentsOf } from "../documents/host.ts";
import { importRescue, judgeRescue, type RescueReport } from "../rescue/import-rescue.ts";
import { readRunning } from "../running.ts";
import { openWorkspace } from "../workspace.ts";
import { BadUsage, required, type Command, type ExitCode } from "./command.ts";
import { folderWithData } from "./open-for-reading.ts";
import { openFolderForWork } from "./open-for-work.ts";
import { askRelay, Refused } from "./operator.ts";
import { print } from "./print.ts";

export const rescueImport: Command = {
  name: "rescue import",
  positionals: "FILE",
  does: "Brings a phone's unsent queue in from a rescue file. The same file again moves nothing.",
  options: { dir: { type: "string" }, json: { type: "boolean" } },
  explains: { dir: "the relay's data folder", json: "one line of JSON" },
  run: async (input) => {
    const [name] = input.positionals;
    if (name === undefined) throw new BadUsage("The rescue file is needed.");
    const dir = required(input, "dir");
    const file = readFile(name);
    const running = readRunning(dir);
    const report =
      running === null
        ? await importAlone(dir, file)
        : ((await askRelay(running, "/v1/operator/rescue", file)) as RescueReport);
    if (input.values["json"] === true) print(JSON.stringify(report));
    else tell(report);
    return statusOf(report);
  },
};

function readFile(name: string): Uint8Array<ArrayBuffer> {
  try {
    if (statSync(name).size > limits.rescueBytes) throw new Refused({ code: "rescue.malformed", detail: "too large" });
    return new Uint8Array(readFileSync(name));
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new BadUsage(`${name} cannot be read: ${String((error as NodeJS.ErrnoException).code)}.`);
  }
}

async function importAlone(dir: string, file: Uint8Array): Promise<RescueReport> {
  // A life of the log begins with a row in it: what is refused must not begin one.
  const { dir: whole, zone } = readConfig({ dir: folderWithData(dir) }, process.env);
  const judged = await judgeRescue(openWorkspace(whole, zone), file);
  if (!judged.ok) throw new Refused(judged.error);
  const folder = await openFolderForWork(whole, true);
  const office = { ...folder, clock: createSystemClock(), log: pino({ level: "warn" }, pino.destination(2)) };
  try {
    const report = await importRescue(office, judged.value);
    if (!report.ok) throw new Refused(report.error);
    return report.value;
  } finally {
    await documentsOf(office).stop();
    await folder.close();
  }
}

function tell({ device, person, madeAt, events, changes, photos }: RescueReport): void {
  print(`The queue of ${person}'s device ${device}, as of ${madeAt}:`);
  print(
    `  ${events.placed + events.branch} events placed, ${events.duplicate} known already, ${events.held} wait for others.`,
  );
  if (events.quarantined > 0) {
    print(
      `  ${events.quarantined} events are kept apart: the device is revoked. \`sampai revoke --undo\` places them.`,
    );
  }
  print(`  ${changes.stored} document changes are stored.`);
  for (const { doc, code } of changes.refused) print(`  document ${doc}: refused, ${code}.`);
  if (photos.length > 0) print(`  ${photos.length} photos are still on the phone.`);
}

/** Bad news is what did not get its place. */
function statusOf({ events, changes }: RescueReport): ExitCode {
  return events.held + events.quarantined + changes.refused.length > 0 ? 1 : 0;
}
