import { parseArgs } from "node:util";
import { databaseInTheWay } from "../database/connection.ts";
import { CannotStart } from "../stop-reasons.ts";
import { BadUsage, type Command, type ExitCode } from "./command.ts";
import { commands } from "./index.ts";
import { Refused } from "./operator.ts";
import { keepOutputFaults, OutputFailed, outputWritten, print } from "./print.ts";
import { refusedObject } from "./refused-object.ts";

/** As the shell says of a program that was ended by a pipe without a reader: 128 and SIGPIPE. */
const READER_GONE = 141;

/**
 * Runs one command line and answers the exit status: 0 done, 1 bad news, 2 could not be done as asked; 141 where whoever
 * read the answer is gone.
 */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  keepOutputFaults();
  try {
    const status = await runCommand(words);
    await outputWritten();
    return status;
  } catch (error) {
    if (!(error instanceof OutputFailed)) throw error;
    if (error.code === "EPIPE") return READER_GONE;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
}

async function runCommand(words: readonly string[]): Promise<ExitCode> {
  const typed = words.filter((word) => word !== "--help" && word !== "-h");
  const command = commands
    .filter(({ name }) => name.split(" ").every((word, index) => typed[index] === word))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (command === undefined) {
    const asksHelp = typed.length === 0 || typed[0] === "help";
    // `store` alone is the beginning of several: those are shown, and asking for them is no mistake.
    const family = commands.filter(({ name }) => name.startsWith(`${typed[0]} `));
    const asksFamily = family.length > 0 && typed.length === 1;
    if (!asksHelp && !asksFamily) process.stderr.write(`There is no command ${typed.slice(0, 2).join(" ")}.\n\n`);
    print(overview(family.length > 0 ? family : commands));
    return asksHelp || (asksFamily && typed.length < words.length) ? 0 : 2;
  }
  if (typed.length < words.length) {
    print(helpOf(command));
    return 0;
  }
  const args = typed.slice(command.name.split(" ").length);
  try {
    const { positionals, values } = parse(command, args);
    return await command.run({ positionals, values });
  } catch (thrown) {
    const error = databaseInTheWay(thrown, "relay.sqlite") ?? thrown;
    if (error instanceof BadUsage) process.stderr.write(`${error.message}\n\n${helpOf(command)}\n`);
    else if (error instanceof CannotStart || error instanceof Refused) process.stderr.write(`${error.message}\n`);
    else throw error;
    if (command.options["json"] !== undefined && args.includes("--json")) print(JSON.stringify(refusedObject(error)));
    return error instanceof Refused ? 1 : 2;
  }
}

function parse(command: Command, args: string[]) {
  const { options } = command;
  try {
    const { positionals, values } = parseArgs({ args, options, allowPositionals: true });
    refuseMore(command, positionals);
    return { positionals, values: values as Record<string, string | boolean | undefined> };
  } catch (error) {
    throw error instanceof BadUsage ? error : new BadUsage((error as Error).message);
  }
}

/** A word that a command would pass over is a mistake: whoever typed it takes it for done. */
function refuseMore({ name, positionals: declared }: Command, typed: readonly string[]): void {
  const most = declared.includes("…") ? Infinity : declared.split(" ").filter((word) => word !== "").length;
  if (typed.length <= most) return;
  const takes = declared === "" ? "takes options only" : `takes ${declared} and no more`;
  throw new BadUsage(`${JSON.stringify(typed[most])} is too much: sampai ${name} ${takes}.`);
}

function overview(shown: readonly Command[]): string {
  const width = Math.max(...shown.map(({ name, positionals }) => `${name} ${positionals}`.length));
  const lines = shown.map(
    ({ name, positionals, does }) =>
      `  ${`${name} ${positionals}`.padEnd(width)}  ${does.split(". ")[0]?.replace(/\.$/, "")}.`,
  );
  return ["sampai COMMAND [options]", "", ...lines, "", "sampai COMMAND --help tells more."].join("\n");
}

function helpOf({ name, positionals, does, options, explains, more }: Command): string {
  const lines = Object.entries(options).map(([option, { type }]) => {
    const typed = `--${option}${type === "string" ? " …" : ""}`;
    return `  ${typed.padEnd(20)} ${explains[option] ?? ""}`;
  });
  return [
    `sampai ${name}${positionals === "" ? "" : ` ${positionals}`}`,
    "",
    does,
    "",
    ...lines,
    ...(more === undefined ? [] : ["", more]),
  ].join("\n");
}
