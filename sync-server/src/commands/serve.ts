import { readConfig } from "../config.ts";
import { startRelay } from "../main.ts";
import { optional, required, type Command } from "./command.ts";
import { print } from "./print.ts";
import { untilStopped } from "./until-stopped.ts";

export const serve: Command = {
  name: "serve",
  positionals: "",
  does: "Runs a relay. Prints one line of JSON with its address when it is ready; logs go to stderr.",
  options: {
    dir: { type: "string" },
    port: { type: "string" },
    host: { type: "string" },
    app: { type: "string" },
    "public-url": { type: "string" },
    "head-file": { type: "string" },
    "database-bytes": { type: "string" },
    config: { type: "string" },
    "log-level": { type: "string" },
  },
  explains: {
    dir: "the data folder; made where it is not there",
    port: "0 (the default) takes any free port",
    host: "the address to listen at; 127.0.0.1 by default",
    app: "folder of the built app to serve",
    "public-url": "where devices reach this relay from outside",
    "head-file": "how far the log has come, kept outside the data folder and its backups; DIR.head by default",
    "database-bytes": "how large the database may grow; as large as the disk by default",
    config: "a JSON file of settings; config.json in the data folder by default",
    "log-level": "fatal, error, warn, info, debug or silent",
  },
  run: async (input) => {
    const config = readConfig(
      {
        dir: required(input, "dir"),
        port: optional(input, "port"),
        host: optional(input, "host"),
        app: optional(input, "app"),
        publicUrl: optional(input, "public-url"),
        headFile: optional(input, "head-file"),
        databaseBytes: optional(input, "database-bytes"),
        logLevel: optional(input, "log-level"),
        file: optional(input, "config"),
      },
      process.env,
    );
    const relay = await startRelay(config, diskGaveOut);
    print(JSON.stringify({ ready: true, url: relay.url, pid: process.pid }));
    await untilStopped(() => relay.stop());
    return 0;
  },
};

/** Nobody knows what is on disk after a failed write: only a new start, which reads it, may answer again. */
export function diskGaveOut(reason: string): never {
  process.stderr.write(`The disk failed, so this relay stops; start it again to read what is stored. ${reason}\n`);
  process.exit(70);
}
