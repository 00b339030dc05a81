import { parseArgs } from "node:util";
import { databaseInTheWay } from "../database/connection.ts";
import { CannotStart } from "../stop-reasons.ts";
import { BadUsage, type Command, type ExitCode } from "./command.ts";
import { commands } from "./index.ts";
import { Refused } from "./operator.ts";
import { print } from "./print.ts";

/** Runs one command line and answers the exit status: 0 done, 1 bad news, 2 could not be done as asked. */
export async function runCommandLine(words: readonly string[]): Promise<ExitCode> {
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
  try {
    const args = typed.slice(command.name.split(" ").length);
    const { positionals, values } = parse(command, args);
    return await command.run({ positionals, values });
  } catch (thrown) {
    const error = databaseInTheWay(thrown, "relay.sqlite") ?? thrown;
    if (error instanceof BadUsage) process.stderr.write(`${error.message}\n\n${helpOf(command)}\n`);
    else if (error instanceof CannotStart || error instanceof Refused) process.stderr.write(`${error.message}\n`);
    else throw error;
    return error instanceof Refused ? 1 : 2;
  }
}

function parse(command: Command, args: string[]) {
  const { options } = command;
  try {
    const { positionals, values } = parseArgs({ args, options, allowPositionals: command.positionals !== "" });
    return { positionals, values: values as Record<string, string | boolean | undefined> };
  } catch (error) {
    throw new BadUsage((error as Error).message);
  }
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
