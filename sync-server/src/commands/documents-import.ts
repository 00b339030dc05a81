import { createSystemClock } from "@sampai/engine/adapters/clock";
import { statSync } from "node:fs";
import path from "node:path";
import { documentsOf } from "../documents/host.ts";
import { takeNodefsFolder } from "../documents/take-nodefs.ts";
import { BadUsage, required, type Command } from "./command.ts";
import { openFolderForWork } from "./open-for-work.ts";
import { print } from "./print.ts";

/** Refusals and torn files that are printed; all of them are counted. */
const SHOWN = 20;

export const documentsImport: Command = {
  name: "documents import",
  positionals: "",
  does: "Takes the documents of a storage-nodefs folder through the gate, change by change. The relay MUST be stopped.",
  options: { nodefs: { type: "string" }, dir: { type: "string" } },
  explains: { nodefs: "the folder to read", dir: "the relay's data folder" },
  more: "A change keeps its author, who must be enrolled here and whose role must allow it. It can be repeated.",
  run: async (input) => {
    const from = path.resolve(required(input, "nodefs"));
    if (statSync(from, { throwIfNoEntry: false })?.isDirectory() !== true) throw new BadUsage(`${from} is no folder.`);
    const folder = await openFolderForWork(required(input, "dir"));
    try {
      const log = {
        error: (detail: object, message: string) => void process.stderr.write(`${message} ${JSON.stringify(detail)}\n`),
      };
      const whole = { ...folder, clock: createSystemClock(), log };
      const { documents, stored, refused, damaged } = await takeNodefsFolder(whole, from);
      await documentsOf(whole).stop();
      for (const { doc, change, code, detail } of refused.slice(0, SHOWN)) {
        process.stderr.write(`${doc} ${change?.slice(0, 12) ?? "whole"}: ${code} ${detail ?? ""}\n`);
      }
      for (const { name, reason } of damaged.slice(0, SHOWN)) process.stderr.write(`${name}: ${reason}\n`);
      print(JSON.stringify({ documents, stored, refused: refused.length, damaged: damaged.length }));
      return refused.length + damaged.length === 0 ? 0 : 1;
    } finally {
      await folder.close();
    }
  },
};
