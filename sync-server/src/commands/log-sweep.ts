import { sweepFolder } from "../privacy/sweep.ts";
import { required, type Command } from "./command.ts";
import { folderWithData } from "./open-for-reading.ts";
import { print } from "./print.ts";

export const logSweep: Command = {
  name: "log sweep",
  positionals: "",
  does: "Writes the database anew, so that no freed page holds what has expired; boards and findings are made again at the next start. The relay must be stopped.",
  options: { dir: { type: "string" } },
  explains: { dir: "the relay's data folder" },
  run: (input) => {
    sweepFolder(folderWithData(required(input, "dir")));
    print(JSON.stringify({ swept: true }));
    return Promise.resolve(0);
  },
};
