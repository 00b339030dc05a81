import assert from "node:assert/strict";
import { test } from "node:test";
import { runHistory } from "./converge/history.ts";
import { converge } from "./converge/index.ts";
import { judge } from "./converge/judge.ts";
import { suites } from "./suites.ts";

const BATCHES = 5;
const HISTORIES = 10;

for (let batch = 0; batch < BATCHES; batch += 1) {
  const first = 1 + batch * HISTORIES;
  test(`20 devices that edit, cut, crash and move end with one view, nothing missing and every conflict explained (seeds ${first} to ${first + HISTORIES - 1})`, async () => {
    const figures: Record<string, number> = {};
    for (let seed = first; seed < first + HISTORIES; seed += 1) {
      const history = await runHistory(seed, { devices: 20, steps: 100 });
      const counted = await judge(history).catch((error: unknown) => {
        throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      });
      for (const [name, value] of Object.entries(counted)) figures[name] = (figures[name] ?? 0) + value;
    }
    const expected = [
      "accepted",
      "refused",
      "conflicts",
      "crashes",
      "cuts",
      "stores moved",
      "people moved",
      "replicas",
      "stock edits accepted",
      "stock edits refused",
    ];
    for (const name of expected) assert.ok((figures[name] ?? 0) > 0, `the histories hold ${name}`);
  });
}

test("the same seed gives the same history", async () => {
  assert.deepEqual(await converge.run(7), await converge.run(7));
});

test("each suite has a name of its own and says what it does", () => {
  assert.equal(new Set(suites.map(({ name }) => name)).size, suites.length);
  for (const { does } of suites) assert.match(does, /^.{20,}\.$/);
});
