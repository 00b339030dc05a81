import assert from "node:assert/strict";
import { test } from "node:test";
import { createPauses } from "../src/photos/pauses.ts";
import { seeded } from "./seeded.ts";
import { createSimulatedTime } from "./simulated-time.ts";

function pausesOf(seed: number) {
  const time = createSimulatedTime();
  return { time, pauses: createPauses({ clock: time.clock("b1"), random: seeded(seed) }) };
}

test("P35 an upload that fails again and again is tried ever more rarely, at most once in half a minute, and never by all phones at once", async () => {
  const firsts = new Set<number>();
  for (let seed = 1; seed <= 50; seed += 1) {
    const { time, pauses } = pausesOf(seed);
    for (const longestMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      pauses.failed("a", "relay");
      const leftMs = pauses.nextEndMs() ?? 0;
      if (longestMs === 1_000) firsts.add(Math.round(leftMs));
      assert.ok(leftMs >= longestMs / 2 && leftMs <= longestMs, `seed ${seed}: ${leftMs} of ${longestMs} ms`);
      assert.deepEqual([pauses.waitsFor("a"), pauses.waitsFor("b")], ["relay", null]);
      await time.advance(leftMs);
      assert.equal(pauses.waitsFor("a"), null);
    }
    pauses.succeeded("a");
    pauses.failed("a", "signal");
    assert.ok((pauses.nextEndMs() ?? 0) <= 1_000, "one acknowledged piece starts it anew");
  }
  assert.ok(firsts.size > 25, `${firsts.size} different first pauses of 50 phones`);
});

test("P35 a new contact is a new chance for everything but a used-up quota", async () => {
  const { pauses } = pausesOf(1);
  pauses.failed("a", "signal");
  pauses.pauseAll("relay", 60_000);
  assert.equal(pauses.waitsFor("b"), "relay");
  pauses.contact();
  assert.deepEqual([pauses.waitsFor("a"), pauses.waitsFor("b")], [null, null]);
  pauses.pauseAll("quota", 3_600_000);
  pauses.contact();
  assert.equal(pauses.waitsFor("b"), "quota");
});
