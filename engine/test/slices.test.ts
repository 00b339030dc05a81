import assert from "node:assert/strict";
import { test } from "node:test";
import { inSlices } from "../src/core/slices.ts";

test("a long reading gives every item in order, and lets what waits run in between", async () => {
  let nowMs = 0;
  const turns: string[] = [];
  const clock = {
    tickMs: () => nowMs,
    after: (_: number, run: () => void) => {
      turns.push("others");
      queueMicrotask(run);
      return () => undefined;
    },
  };
  for await (const item of inSlices(["a", "b", "c", "d"], clock)) {
    turns.push(item);
    nowMs += 5;
  }
  assert.deepEqual(turns, ["a", "b", "others", "c", "d", "others"]);
});
