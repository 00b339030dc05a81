import { openForReading } from "../database/connection.ts";
import { CannotStart } from "../stop-reasons.ts";
import { verifyFolder, type Progress } from "../verification/verify-folder.ts";
import { BadUsage, optional, type Command, type CommandInput, type ExitCode } from "./command.ts";
import { folderWithData, workspaceIn } from "./open-for-reading.ts";
import { print } from "./print.ts";
import { refusedObject } from "./refused-object.ts";

const does =
  "Checks all that a data folder can prove: rows, chains, signatures, hash tree, trail, days, packs, documents, photos, and that nothing is gone which the head file had noted. Names the first bad row.";
const more =
  "Works beside a running relay. The status is 0 where everything is sound, 1 where something is not, 2 where a folder cannot be checked.";

const headFile = "the file outside the folder that says how far the relay had come; DIR.head where it is not given";

export const verify: Command = {
  name: "verify",
  positionals: "DIR …",
  does,
  options: { "head-file": { type: "string" }, json: { type: "boolean" } },
  explains: {
    "head-file": headFile,
    json: "one line of JSON for each folder instead of sentences",
  },
  more,
  run: async (input) => {
    const dirs = input.positionals;
    if (dirs.length === 0) throw new BadUsage("A data folder is needed.");
    if (dirs.length > 1 && optional(input, "head-file") !== undefined) {
      throw new BadUsage("A head file is one folder's: give one folder with it.");
    }
    let exit: ExitCode = 0;
    for (const dir of dirs) {
      if (dirs.length > 1 && input.values["json"] !== true) print(dir);
      exit = worse(exit, await judged(dir, input));
    }
    return exit;
  },
};

/** The same under the log's own commands, with `--dir` as they have it. */
export const logVerify: Command = {
  name: "log verify",
  positionals: "",
  does,
  options: { dir: { type: "string" }, "head-file": { type: "string" }, json: { type: "boolean" } },
  explains: {
    dir: "the relay's data folder",
    "head-file": headFile,
    json: "one line of JSON instead of sentences",
  },
  more,
  run: (input) => {
    const dir = optional(input, "dir");
    if (dir === undefined) throw new BadUsage("--dir is needed.");
    return judge(dir, input);
  },
};

const worse = (one: ExitCode, other: ExitCode): ExitCode => (other > one ? other : one);

/** A folder that cannot be checked keeps no other from it. */
async function judged(dir: string, input: CommandInput): Promise<ExitCode> {
  try {
    return await judge(dir, input);
  } catch (error) {
    if (!(error instanceof BadUsage)) throw error;
    process.stderr.write(`${error.message}\n`);
    if (input.values["json"] === true) print(JSON.stringify({ dir, ...refusedObject(error) }));
    return 2;
  }
}

async function judge(dir: string, input: CommandInput): Promise<ExitCode> {
  mustBeReadable(folderWithData(dir));
  const findings = await verifyFolder(dir, workspaceIn(dir), createBar(), optional(input, "head-file"));
  if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
  const sound = findings.every((finding) => finding.sound);
  if (input.values["json"] === true) print(JSON.stringify({ dir, sound, findings }));
  else for (const { part, says } of findings) print(`${part}: ${says}.`);
  return sound ? 0 : 1;
}

// What cannot be read where it lies is not damaged for that. What is damaged is told part by part.
function mustBeReadable(dir: string): void {
  try {
    openForReading(dir).close();
  } catch (error) {
    if (error instanceof CannotStart) throw error;
  }
}

const WIDTH = 24;
const REDRAW_MS = 100;

// Only for a person at a terminal: one line that is written over, some times a second.
function createBar(): Progress {
  if (!process.stderr.isTTY) return () => undefined;
  let drawnMs = -Infinity;
  let drawn = "";
  return (part, done, of) => {
    const now = performance.now();
    if (part === drawn && now - drawnMs < REDRAW_MS) return;
    drawnMs = now;
    drawn = part;
    const full = of === 0 ? 0 : Math.floor((WIDTH * done) / of);
    const count = of === 0 ? "" : ` ${done.toLocaleString("en")} of ${of.toLocaleString("en")}`;
    process.stderr.write(`\r\u001B[K${part.padEnd(10)} [${"#".repeat(full)}${"-".repeat(WIDTH - full)}]${count}`);
  };
}
