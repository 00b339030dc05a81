import assert from "node:assert/strict";
import { test } from "node:test";
import { createBackOff } from "../src/sync/back-off.ts";
import { seeded } from "./seeded.ts";
import { createSimulatedTime } from "./simulated-time.ts";

const SEEDS = Array.from({ length: 50 }, (_, seed) => seed + 1);
const PHONES = 200;

function phone(seed: number) {
  const time = createSimulatedTime();
  const backOff = createBackOff({ clock: time.clock("b1"), random: seeded(seed) });
  /** Waits as it says; answers for how long. */
  const wait = async () => {
    const delayMs = backOff.nextMs();
    await time.advance(delayMs);
    return delayMs;
  };
  /** Tries until the link has been gone for `goneMs`; answers how long after its return the phone tried again. */
  const missAfter = async (goneMs: number) => {
    const backMs = time.nowMs() + goneMs;
    while (time.nowMs() < backMs) await wait();
    return time.nowMs() - backMs;
  };
  return { time, backOff, wait, missAfter };
}

test("the first retry comes within 100 ms, the second within half a second, later ones ever later, never after more than 30 s", async () => {
  for (const seed of SEEDS) {
    const { wait } = phone(seed);
    const delays: number[] = [];
    for (let tries = 0; tries < 60; tries += 1) delays.push(await wait());
    const [first = 0, second = 0] = delays;
    assert.ok(first >= 50 && first <= 100, `seed ${seed}: ${delays.join()}`);
    assert.ok(second >= 250 && second <= 500, `seed ${seed}: ${delays.join()}`);
    assert.ok(Math.max(...delays) <= 30_000, `seed ${seed}: ${delays.join()}`);
    assert.ok((delays.at(-1) ?? 0) >= 15_000, `seed ${seed}: ${delays.join()}`);
  }
});

test("a signal that returns is missed for at most a quarter of the time it was gone, however often it dropped before", async () => {
  for (const seed of SEEDS) {
    const random = seeded(seed);
    const { backOff, missAfter, time } = phone(seed);
    for (let drops = 0; drops < 20; drops += 1) {
      const goneMs = 2_000 + random.below(60_000);
      const missedMs = await missAfter(goneMs);
      assert.ok(missedMs <= goneMs / 4 + 1, `seed ${seed}: gone for ${goneMs} ms, missed ${missedMs} ms`);
      await time.advance(5_000);
      backOff.calm();
    }
  }
});

test("a relay that answers and takes nobody is asked twice as rarely each time, whatever the time that passed", async () => {
  for (const seed of SEEDS) {
    const { backOff, wait } = phone(seed);
    await wait();
    for (let longestMs = 1_000; longestMs <= 16_000; longestMs *= 2) {
      backOff.turnedAway();
      const delayMs = await wait();
      assert.ok(delayMs >= longestMs / 2 && delayMs <= longestMs, `seed ${seed}: ${delayMs} of ${longestMs}`);
    }
    for (let tries = 0; tries < 20; tries += 1) {
      backOff.turnedAway();
      const delayMs = await wait();
      assert.ok(delayMs >= 15_000 && delayMs <= 30_000, `seed ${seed}: ${delayMs}`);
    }
    backOff.calm();
    assert.ok((await wait()) <= 100);
  }
});

test("phones that are turned away at one moment do not come back at one moment", async () => {
  for (const seed of [1, 2, 3]) {
    const tries: number[] = [];
    for (let number = 0; number < PHONES; number += 1) {
      const { backOff, wait, time } = phone(seed * 1_000 + number);
      const startMs = time.nowMs();
      for (let round = 0; round < 6; round += 1) {
        backOff.turnedAway();
        await wait();
      }
      tries.push(time.nowMs() - startMs);
    }
    // Six rounds take 31 to 62 s together; evenly spread over half of that, 13 phones come in a second.
    const seconds = Map.groupBy(tries, (ms) => Math.floor(ms / 1_000));
    const most = Math.max(...[...seconds.values()].map(({ length }) => length));
    assert.ok(most <= PHONES / 8, `seed ${seed}: ${most} of ${PHONES} phones came in one second`);
  }
});
