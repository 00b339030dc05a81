// npm run simulate: seeded histories over the real code, with simulated time, disks and network.
import { parseArgs } from "node:util";
import { suites } from "./suites.ts";

const help = `Usage: npm run simulate -- [--suite NAME] [--seeds N] [--from S] [--json]

Runs N random histories of a suite (all suites where none is named), seed S first. The same seed gives the same history.

  --suite NAME  ${suites.map(({ name, does }) => `${name}: ${does}`).join("\n                ")}
  --seeds N     how many histories (20)
  --from S      the first seed (1)
  --json        no progress; one JSON line: suite, seeds, failures with their seeds, figures, ok
  --help        this text

Leaves with 1 where a history broke a rule, with 2 where the command was not understood.`;

interface Outcome {
  readonly suite: string;
  readonly from: number;
  readonly seeds: number;
  readonly failures: readonly { readonly seed: number; readonly failure: string }[];
  readonly figures: Readonly<Record<string, number>>;
  readonly ok: boolean;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      suite: { type: "string" },
      seeds: { type: "string", default: "20" },
      from: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const seeds = Number(values.seeds);
  const from = Number(values.from);
  const chosen = values.suite === undefined ? suites : suites.filter(({ name }) => name === values.suite);
  if (!Number.isSafeInteger(seeds) || seeds < 1 || !Number.isSafeInteger(from) || from < 0 || chosen.length === 0) {
    console.error(help);
    return 2;
  }
  const outcomes: Outcome[] = [];
  for (const suite of chosen) {
    const failures: { seed: number; failure: string }[] = [];
    const figures: Record<string, number> = {};
    for (let seed = from; seed < from + seeds; seed += 1) {
      const report = await suite.run(seed);
      for (const [name, value] of Object.entries(report.figures)) figures[name] = (figures[name] ?? 0) + value;
      if (report.failure !== null) failures.push({ seed, failure: report.failure });
      if (values.json) continue;
      if (report.failure !== null) console.log(`✗ ${suite.name} seed ${seed}: ${report.failure}`);
      else if ((seed - from + 1) % 10 === 0) console.log(`  ${suite.name}: ${seed - from + 1} of ${seeds}`);
    }
    outcomes.push({ suite: suite.name, from, seeds, failures, figures, ok: failures.length === 0 });
  }
  const [only, ...others] = outcomes;
  const ok = outcomes.every((outcome) => outcome.ok);
  if (values.json) console.log(JSON.stringify(others.length === 0 ? only : { suites: outcomes, seeds, ok }));
  else for (const { suite, figures, failures } of outcomes) print(suite, figures, failures.length);
  return ok ? 0 : 1;
}

function print(suite: string, figures: Outcome["figures"], failed: number): void {
  console.log(`\n${suite}: ${failed === 0 ? "every history kept its rules" : `${failed} histories broke a rule`}`);
  for (const [name, value] of Object.entries(figures)) console.log(`  ${String(value).padStart(9)}  ${name}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TypeError && "code" in error)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
