import { nothingToRevoke } from "../devices/revocation.ts";
import { readRunning } from "../running.ts";
import { optional, required, type Command } from "./command.ts";
import { openFolderForWork } from "./open-for-work.ts";
import { askRelay, Refused } from "./operator.ts";
import { print } from "./print.ts";

export const revoke: Command = {
  name: "revoke",
  positionals: "",
  does: "Stops a device: its token at once, its open connection too. Nothing that it sent is lost.",
  options: {
    dir: { type: "string" },
    device: { type: "string" },
    reason: { type: "string" },
    undo: { type: "boolean" },
  },
  explains: {
    dir: "the relay's data folder",
    device: "the device's id",
    reason: "why, for the trail",
    undo: "takes the revocation back, and places what the device sent meanwhile",
  },
  run: async (input) => {
    const dir = required(input, "dir");
    const device = required(input, "device");
    const reason = optional(input, "reason") ?? "";
    const undo = input.values["undo"] === true;
    const running = readRunning(dir);
    if (running !== null) {
      print(JSON.stringify(await askRelay(running, "/v1/operator/revoke", { device, reason, undo })));
      return 0;
    }
    const folder = await openFolderForWork(dir);
    try {
      const by = "operator";
      const done = undo
        ? await folder.writer.run("unrevoke", { device, by })
        : await folder.writer.run("revoke", { device, by, reason });
      if (!done) throw new Refused(nothingToRevoke(folder.db, device, undo));
      print(JSON.stringify({ device, revoked: !undo }));
      return 0;
    } finally {
      await folder.close();
    }
  },
};
