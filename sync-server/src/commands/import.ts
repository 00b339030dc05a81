import { err, ok, type Result } from "@sampai/engine";
import { statSync } from "node:fs";
import { createSystemClock } from "@sampai/engine/adapters/clock";
import { readConfig } from "../config.ts";
import { openDataFolder } from "../data-folder.ts";
import { documentsOf } from "../documents/host.ts";
import { readCsvFolder, type ImportFiles } from "../import/csv-folder.ts";
import { runImport, type ImportSummary } from "../import/import.ts";
import type { ImportRequest } from "../import/index.ts";
import type { ImportProblem } from "../import/problem.ts";
import { columnsHelp, refusalLines, summaryLines } from "../import/words.ts";
import { readRunning, type Running } from "../running.ts";
import { BadUsage, optional, required, type Command } from "./command.ts";
import { Refused, reachRelay } from "./operator.ts";
import { print } from "./print.ts";
import { diskGaveOut } from "./serve.ts";

type Outcome = Result<ImportSummary, readonly ImportProblem[]>;

export const importCommand: Command = {
  name: "import",
  positionals: "CSVDIR",
  does: "Imports a folder of CSV files: people, goods, prices, forms, stores and plans.",
  options: { dir: { type: "string" }, week: { type: "string" }, json: { type: "boolean" } },
  explains: {
    dir: "the relay's data folder, made where it is not there; a relay that runs on it takes the files at once",
    week: "the ISO week that +0 means in plans.csv, such as 2026-W48; this week by default",
    json: "prints one JSON object instead of sentences",
  },
  more: columnsHelp(),
  run: async (input) => {
    const [folder] = input.positionals;
    if (folder === undefined) throw new BadUsage("Name one folder of CSV files.");
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new BadUsage(`${folder} is no folder.`);
    }
    const dir = required(input, "dir");
    const week = optional(input, "week");
    const files = readCsvFolder(folder);
    const running = readRunning(dir);
    const outcome = running === null ? await importHere(dir, files, week) : await importThere(running, files, week);
    if (input.values["json"] === true) {
      print(
        JSON.stringify(
          outcome.ok ? { imported: true, ...outcome.value } : { imported: false, problems: outcome.error },
        ),
      );
    } else if (outcome.ok) summaryLines(outcome.value).forEach((line) => print(line));
    else refusalLines(outcome.error).forEach((line) => process.stderr.write(`${line}\n`));
    return outcome.ok ? 0 : 1;
  },
};

async function importHere(dir: string, files: ImportFiles, week: string | undefined): Promise<Outcome> {
  const config = readConfig({ dir }, process.env);
  const folder = await openDataFolder(config, diskGaveOut, false);
  try {
    // Damage found on the way is told on stderr; the trail keeps it.
    const log = {
      error: (detail: object, message: string) => void process.stderr.write(`${message} ${JSON.stringify(detail)}\n`),
    };
    const whole = { ...folder, clock: createSystemClock(), log };
    try {
      return await runImport(whole, files, week === undefined ? {} : { week });
    } finally {
      await documentsOf(whole).stop();
    }
  } finally {
    await folder.close();
  }
}

async function importThere(running: Running, files: ImportFiles, week: string | undefined): Promise<Outcome> {
  const encoded = Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")]);
  const request: ImportRequest = { files: Object.fromEntries(encoded), ...(week === undefined ? {} : { week }) };
  const answer = await reachRelay(running, "/v1/operator/import", JSON.stringify(request));
  const value = answer.value as ImportSummary & { code?: "import.rows"; problems?: readonly ImportProblem[] };
  if (answer.ok) return ok(value);
  if (value.problems !== undefined) return err(value.problems);
  throw new Refused({ code: value.code ?? "relay.busy" });
}
