import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const room = path.join(import.meta.dirname, "..");
const rules = [...readFileSync(path.join(room, "SPEC.md"), "utf8").matchAll(/^- \*\*([WDLFPAX]\d+)\*\*/gm)].map(
  ([, id]) => id as string,
);
// What needs a limit that only the operator sets, or a phone's insides, is held by the tests of those rooms.
const suites = [
  "suites/**/*.test.ts",
  "../{engine,sync-server}/test/photos-*.test.ts",
  "../engine/test/tus-upload.test.ts",
];
const titles = globSync(suites, { cwd: room }).flatMap((file) =>
  [...readFileSync(path.join(room, file), "utf8").matchAll(/\btest\(\s*["'`]([WDLFPAX]\d+) /g)].map(
    ([, id]) => id as string,
  ),
);

test("every rule of the specification has a test, and every test a rule", () => {
  assert.deepEqual(
    {
      rulesWithoutTest: rules.filter((id) => !titles.includes(id)),
      testsWithoutRule: titles.filter((id) => !rules.includes(id)),
    },
    { rulesWithoutTest: [], testsWithoutRule: [] },
  );
});

test("no rule's id is used twice", () => {
  assert.equal(new Set(rules).size, rules.length);
});
