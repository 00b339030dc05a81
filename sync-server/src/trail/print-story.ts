import { msFromUtc } from "@sampai/engine/core";
import { spanWords } from "./span-words.ts";
import type { Story } from "./story.ts";

/** A story as lines for a terminal, times in the workspace's zone. */
export function storyLines(story: Story, zone: string): string[] {
  const day = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "2-digit", month: "short", year: "numeric" });
  const time = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const { item, position, capturedAt, placedAt, tookMs } = story;
  const lines = [
    position === null || placedAt === null
      ? `${item} is not in the order log.`
      : `${item} is in the order log at #${position}${tookMs === null ? "" : `, ${spanWords(tookMs)} after it was captured`}.`,
    "",
  ];
  let lastDay = "";
  for (const { at, clock, sentence } of story.steps) {
    if (at === null) {
      lines.push(`              ${sentence}`);
      continue;
    }
    const ms = msFromUtc(at);
    const on = day.format(ms);
    if (on !== lastDay) lines.push(`${on} (${zone})`);
    lastDay = on;
    lines.push(`  ${time.format(ms)}  ${clock === "phone" ? "▪" : "▫"} ${sentence}`);
  }
  if (capturedAt !== null) lines.push("", "▪ by the phone's clock  ▫ by the relay's clock");
  return lines;
}
