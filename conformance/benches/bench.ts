import { parseArgs } from "node:util";
import { benches } from "./index.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const list = Object.entries(benches).map(([word, { does }]) => `  ${word.padEnd(12)} ${does}`);
const name = positionals[0];
const chosen = name === undefined ? Object.entries(benches) : Object.entries(benches).filter(([word]) => word === name);
if (values.help || chosen.length === 0) {
  console.log(
    `npm run bench -- [NAME] [--full] [--json]\n\nMeasures on real processes; all by default:\n${list.join("\n")}`,
  );
  if (!values.help) {
    console.error(`There is no bench called "${name}".`);
    process.exitCode = 2;
  }
} else {
  for (const [, bench] of chosen) {
    const outcome = await bench.run({ full: values.full, say: (sentence) => console.log(sentence) });
    for (const { name, goal, value, met } of outcome.goals)
      console.log(`${met ? "met   " : "missed"}  ${name}: ${value} (goal ${goal})`);
    if (values.json) console.log(JSON.stringify(outcome));
    if (outcome.goals.some(({ met }) => !met)) process.exitCode = 1;
  }
}
