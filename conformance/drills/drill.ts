import { parseArgs } from "node:util";
import { HostLacks } from "../src/image-disk.ts";
import { drills } from "./index.ts";

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
if (values.help || drill === undefined) {
  const list = Object.entries(drills).map(
    ([word, { does, times }]) => `  ${word.padEnd(12)} ${does} (--times ${times})`,
  );
  console.log(
    `npm run drill -- NAME [--times N] [--seed N] [--json]\n\nFault stories on real processes:\n${list.join("\n")}`,
  );
  if (!values.help) {
    console.error(
      name === undefined ? "Name a drill." : `There is no drill called "${name}"; there are: ${names.join(", ")}.`,
    );
    process.exitCode = 2;
  }
} else {
  try {
    const outcome = await drill.run({
      times: values.times === undefined ? drill.times : Number(values.times),
      seed: Number(values.seed),
      say: (sentence) => console.log(sentence),
    });
    if (values.json) console.log(JSON.stringify(outcome));
    process.exitCode = outcome.ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof HostLacks)) throw error;
    console.error(`${error.code}: ${error.message}`);
    process.exitCode = 2;
  }
}
