import { readConfig } from "../config.ts";
import { openFollowersForReading } from "../followers/database.ts";
import { judgementSteps } from "../followers/judgement-steps.ts";
import { readRunning } from "../running.ts";
import { storyLines } from "../trail/print-story.ts";
import { findLeaf, tellStory, type Story } from "../trail/story.ts";
import { BadUsage, required, type Command } from "./command.ts";
import { folderWithData, openLogForReading } from "./open-for-reading.ts";
import { askRelay, Refused } from "./operator.ts";
import { print } from "./print.ts";

export const trail: Command = {
  name: "trail",
  positionals: "ID",
  does: "Tells where an order (or any fact, photo or document) spent its time: both sides' attempts, in order.",
  options: { dir: { type: "string" }, json: { type: "boolean" } },
  explains: { dir: "the relay's data folder", json: "one JSON object instead of sentences" },
  run: async (input) => {
    const dir = required(input, "dir");
    const [item] = input.positionals;
    if (item === undefined) throw new BadUsage("One ID is needed.");
    const running = readRunning(dir);
    const story =
      running === null
        ? storyFrom(dir, item)
        : ((await askRelay(running, `/v1/operator/trail/${encodeURIComponent(item)}`)) as Story);
    if (story === undefined) throw new Refused({ code: "request.unknown", detail: item.slice(0, 60) });
    if (input.values["json"] === true) print(JSON.stringify(story));
    else for (const line of storyLines(story, readConfig({ dir }, process.env).zone)) print(line);
    return 0;
  },
};

/** Without a relay: from what stands in the folder, which nobody is writing. */
function storyFrom(dir: string, item: string): Story | undefined {
  const relay = openLogForReading(folderWithData(dir));
  const followers = openFollowersForReading(dir);
  try {
    const leaf = findLeaf(relay, item);
    return tellStory(relay, item, judgementSteps(followers, leaf));
  } finally {
    followers?.close();
    relay.close();
  }
}
