import { createSystemClock } from "@sampai/engine/adapters/clock";
import { documentId } from "@sampai/engine";
import { documentsOf } from "../documents/host.ts";
import { readRunning } from "../running.ts";
import { BadUsage, optional, required, type Command } from "./command.ts";
import { openFolderForWork } from "./open-for-work.ts";
import { askRelay, Refused } from "./operator.ts";
import { print } from "./print.ts";

export const storeBury: Command = {
  name: "store bury",
  positionals: "KEY",
  does: "Deletes a store for everybody: it leaves every phone, and takes no more edits. What was written stays in its history.",
  options: { dir: { type: "string" }, reason: { type: "string" } },
  explains: { dir: "the relay's data folder", reason: "why, for the trail" },
  run: async (input) => {
    const [key] = input.positionals;
    if (key === undefined) throw new BadUsage("Name one store.");
    const dir = required(input, "dir");
    const reason = optional(input, "reason") ?? "";
    const running = readRunning(dir);
    if (running !== null) {
      print(JSON.stringify(await askRelay(running, "/v1/operator/documents/bury", { kind: "store", key, reason })));
      return 0;
    }
    const folder = await openFolderForWork(dir);
    try {
      const log = {
        error: (detail: object, message: string) => void process.stderr.write(`${message} ${JSON.stringify(detail)}\n`),
      };
      const host = documentsOf({ ...folder, clock: createSystemClock(), log });
      const row = host.registry.get(documentId(folder.workspace.id, "store", key));
      const done = row !== undefined && (await host.bury(row, "operator", reason));
      await host.stop();
      if (!done) throw new Refused({ code: "doc.unknown", detail: `store ${key}` });
      print(JSON.stringify({ kind: "store", key, buried: true }));
      return 0;
    } finally {
      await folder.close();
    }
  },
};
