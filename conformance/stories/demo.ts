import { parseArgs } from "node:util";
import { tellSixVisits } from "./six-visits.ts";

const HELP = `npm run demo [-- --flaky] [-- --json] [-- --seed N]

Six visits without a signal, told step by step on real Malaysian shops and goods: a real relay process, a real phone
process without a screen, and a link between them that is cut, restored, and carries 400 kbit/s at 200 ms.

  --flaky    the link drops for 5 s in every 10 s after the signal returns
  --json     the last line of the output is one JSON object; the exit code is 1 unless its "ok" is true
  --seed N   another day: other goods, quantities and photos (default 1)`;

const { values } = parseArgs({
  options: {
    flaky: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(HELP);
} else {
  const outcome = await tellSixVisits({
    flaky: values.flaky,
    seed: Number(values.seed),
    say: (sentence) => console.log(sentence),
  });
  if (values.json) console.log(JSON.stringify(outcome));
  process.exitCode = outcome.ok ? 0 : 1;
}
