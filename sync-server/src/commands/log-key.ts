import { readConfig } from "../config.ts";
import { verifierOf, verifierText } from "@sampai/engine/proof";
import { openWorkspace } from "../workspace.ts";
import { required, type Command } from "./command.ts";
import { print } from "./print.ts";

export const logKey: Command = {
  name: "log key",
  positionals: "",
  does: "Prints the public key that checks receipts and checkpoints: give it to the auditor.",
  options: { dir: { type: "string" } },
  explains: { dir: "the relay's data folder" },
  run: (input) => {
    const config = readConfig({ dir: required(input, "dir") }, process.env);
    print(verifierText(verifierOf(openWorkspace(config.dir, config.zone))));
    return Promise.resolve(0);
  },
};
