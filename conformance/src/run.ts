import { spawnSync } from "node:child_process";
import { globSync, mkdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

const HELP = `npm run conformance [-- --url URL --codes CODE,CODE,…] [-- --suite NAME] [-- --report DIR]

Judges a relay from outside by the rules of conformance/SPEC.md. Without --url it starts this project's own relay.

  --url URL      a relay that runs somewhere, such as https://relay.example; only the suites under suites/wire apply
  --codes LIST   one-time enrolment codes of reps at that relay, one for each test (about 35), of a territory each
  --suite NAME   only suites whose path contains NAME, such as order-log
  --report DIR   also writes DIR/junit.xml and DIR/report.txt`;

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    codes: { type: "string" },
    suite: { type: "string", default: "" },
    report: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(HELP);
} else {
  const room = path.join(import.meta.dirname, "..");
  const folder = values.url === undefined ? "suites/**/*.test.ts" : "suites/wire/*.test.ts";
  const files = globSync(folder, { cwd: room })
    .filter((file) => file.includes(values.suite))
    .sort();
  if (files.length === 0) {
    console.error(`No suite's path contains "${values.suite}".`);
    process.exit(2);
  }
  const reporters = ["--test-reporter=spec", "--test-reporter-destination=stdout"];
  if (values.report !== undefined) {
    mkdirSync(values.report, { recursive: true });
    for (const [reporter, name] of [
      ["junit", "junit.xml"],
      ["spec", "report.txt"],
    ] as const) {
      reporters.push(`--test-reporter=${reporter}`, `--test-reporter-destination=${path.resolve(values.report, name)}`);
    }
  }
  const run = spawnSync(process.execPath, ["--test", "--test-concurrency=1", ...reporters, ...files], {
    cwd: room,
    stdio: "inherit",
    env: {
      ...process.env,
      ...(values.url === undefined ? {} : { SAMPAI_TARGET_URL: values.url.replace(/\/$/, "") }),
      ...(values.codes === undefined ? {} : { SAMPAI_TARGET_CODES: values.codes }),
    },
  });
  process.exitCode = run.status ?? 1;
}
