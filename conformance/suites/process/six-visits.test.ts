import assert from "node:assert/strict";
import { test } from "node:test";
import { tellSixVisits } from "../../stories/six-visits.ts";

test("X2 six visits without a signal, a killed phone and a lost acknowledgement end complete, once and in order at headquarters", async () => {
  const told: string[] = [];
  const outcome = await tellSixVisits({ flaky: false, seed: 2, say: (sentence) => told.push(sentence) });
  assert.equal(outcome.ok, true, `${told.join("\n")}\n${JSON.stringify(outcome)}`);
});
