import { parseArgs } from "node:util";
import { HostLacks } from "../src/image-disk.ts";
import { drills } from "./index.ts";
import type { Drill } from "./story.ts";

const names = Object.keys(drills);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: "string" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const name = positionals[0];
const drill = name === undefined ? undefined : drills[name];
const seed = Number(values.seed);
const times = Number(values.times ?? drill?.times);

if (values.help) {
  console.log(help());
} else if (drill === undefined) {
  console.log(help());
  misused(name === undefined ? "Name a drill." : `There is no drill called "${name}"; there are: ${names.join(", ")}.`);
} else if (!Number.isInteger(times) || times < 1) {
  misused(`--times is a whole number from 1 on, not "${values.times}".`);
} else if (!Number.isInteger(seed)) {
  misused(`--seed is a whole number, not "${values.seed}".`);
} else {
  await run(drill);
}

function help(): string {
  const width = Math.max(...names.map(({ length }) => length));
  const list = Object.entries(drills).map(
    ([word, { does, times: usual }]) => `  ${word.padEnd(width)}  ${does} (--times ${usual})`,
  );
  return `npm run drill -- NAME [--times N] [--seed N] [--json]

Fault stories on real processes:
${list.join("\n")}

  --times N   how often the fault strikes
  --seed N    chooses when and where it strikes; 1 by default
  --json      ends with the figures as one line of JSON

The status is 0 where the drill holds, 1 where it does not, and 2 where it cannot be run as asked or on this host:
power-cut and disk-errors need root, loop devices, mkfs.xfs, xfs_io and mkfs.ext4.`;
}

function misused(sentence: string): void {
  console.error(sentence);
  process.exitCode = 2;
}

async function run(chosen: Drill): Promise<void> {
  try {
    const outcome = await chosen.run({ times, seed, say: (sentence) => console.log(sentence) });
    if (values.json) console.log(JSON.stringify(outcome));
    process.exitCode = outcome.ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof HostLacks)) throw error;
    misused(`${error.code}: ${error.message}`);
    if (values.json) console.log(JSON.stringify({ drill: name, code: error.code, ok: false }));
  }
}
