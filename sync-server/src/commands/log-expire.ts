import { z } from "zod";
import { expireBefore, hasBegun, type ExpiryDone } from "../privacy/expiry.ts";
import { readRunning } from "../running.ts";
import { BadUsage, optional, required, type Command } from "./command.ts";
import { tellExpiry, withOffice } from "./expiry-office.ts";
import { folderWithData, workspaceIn } from "./open-for-reading.ts";
import { askRelay } from "./operator.ts";

const whatSchema = z.enum(["events", "photos", "all"]);

export const logExpire: Command = {
  name: "log expire",
  positionals: "",
  does: "Removes the bytes of old events and photos by a signed decision in the log. Hashes, chain and proofs stay.",
  options: {
    dir: { type: "string" },
    before: { type: "string" },
    what: { type: "string" },
    reason: { type: "string" },
  },
  explains: {
    dir: "the relay's data folder",
    before: "YYYY-MM-DD in the workspace's zone, today at the latest: what came before that day goes",
    what: "events, photos or all (the default)",
    reason: "why, for the log",
  },
  more: [
    "It cannot be taken back, and reaches no backup: those must expire by themselves. While a relay works, freed pages of",
    "its database files keep the bytes until they are used again, or until `sampai log sweep`.",
  ].join("\n"),
  run: async (input) => {
    const dir = required(input, "dir");
    const reason = required(input, "reason");
    const before = z.iso.date().safeParse(required(input, "before"));
    if (!before.success) throw new BadUsage("--before is a date such as 2025-12-31.");
    const what = whatSchema.safeParse(optional(input, "what") ?? "all");
    if (!what.success) throw new BadUsage("--what is events, photos or all.");
    const { zone } = workspaceIn(folderWithData(dir));
    if (!hasBegun(before.data, zone, Date.now()))
      throw new BadUsage(`--before ${before.data} has not begun in ${zone}: today is the latest day there is.`);
    const request = { before: before.data, what: what.data, reason };
    const running = readRunning(dir);
    const done =
      running === null
        ? await withOffice(dir, (office) => expireBefore(office, { ...request, by: "operator" }))
        : ((await askRelay(running, "/v1/operator/expire", request)) as ExpiryDone);
    tellExpiry(dir, done, running !== null, {});
    return 0;
  },
};
