import type { EventRange } from "@sampai/engine/wire";

/** Numbers of runs of one device, joined to ranges where they follow each other; each number counts once. */
export function rangesOf(device: string, numbers: readonly { run: string; from: number; to: number }[]): EventRange[] {
  const sorted = numbers.toSorted((a, b) => (a.run === b.run ? a.from - b.from : a.run < b.run ? -1 : 1));
  const ranges: { device: string; run: string; from: number; to: number }[] = [];
  for (const { run, from, to } of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && last.run === run && from <= last.to + 1) last.to = Math.max(last.to, to);
    else ranges.push({ device, run, from, to });
  }
  return ranges;
}
