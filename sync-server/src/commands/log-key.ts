import { verifierOf, verifierText } from "@sampai/engine/proof";
import { required, type Command } from "./command.ts";
import { folderWithData, workspaceIn } from "./open-for-reading.ts";
import { print } from "./print.ts";

export const logKey: Command = {
  name: "log key",
  positionals: "",
  does: "Prints the public key that checks receipts and checkpoints: give it to the auditor.",
  options: { dir: { type: "string" } },
  explains: { dir: "the relay's data folder" },
  run: (input) => {
    print(verifierText(verifierOf(workspaceIn(folderWithData(required(input, "dir"))))));
    return Promise.resolve(0);
  },
};
