import { parseArgs } from "node:util";
import { benches } from "./index.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    profile: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
const list = Object.entries(benches).map(
  ([word, { does, profiles = [] }]) =>
    `  ${word.padEnd(12)} ${does}${profiles.length === 0 ? "" : `\n${" ".repeat(15)}--profile ${profiles.join(" | ")}`}`,
);
const name = positionals[0];
const profile = values.profile ?? null;
const chosen = name === undefined ? Object.entries(benches) : Object.entries(benches).filter(([word]) => word === name);
if (values.help || chosen.length === 0) {
  console.log(
    `npm run bench -- [NAME] [--profile PART] [--full] [--json]\n\nMeasures on real processes; all by default:\n${list.join("\n")}`,
  );
  if (!values.help) {
    console.error(`There is no bench called "${name}".`);
    process.exitCode = 2;
  }
} else if (profile !== null && !chosen.every(([, { profiles = [] }]) => profiles.includes(profile))) {
  console.error(`Not every bench asked for has a part called "${profile}". See --help.`);
  process.exitCode = 2;
} else {
  for (const [, bench] of chosen) {
    const outcome = await bench.run({ full: values.full, profile, say: (sentence) => console.log(sentence) });
    for (const { name, goal, value, met } of outcome.goals)
      console.log(`${met ? "met   " : "missed"}  ${name}: ${value} (goal ${goal})`);
    if (values.json) console.log(JSON.stringify(outcome));
    if (outcome.goals.some(({ met }) => !met)) process.exitCode = 1;
  }
}
