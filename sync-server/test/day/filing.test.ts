import assert from "node:assert/strict";
import { test } from "node:test";
import { filedDay } from "../../src/day/filing.ts";

test("a close whose moment nothing tells is filed under the day that it names, so that it keeps no other close waiting", () => {
  const time = {
    earliestMs: Number.NaN,
    latestMs: Number.NaN,
    bestMs: Number.NaN,
    evidence: "wall" as const,
    jumpMs: null,
    contradicted: true,
  };
  assert.equal(filedDay("2026-11-25", time, "Asia/Kuala_Lumpur"), "2026-11-25");
});
