import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { longestSilenceMs, watchLife } from "../../src/relay/life.ts";
import { SimulatedTime } from "../simulation/simulated-time.ts";

const patience = { pingMs: 30_000, silenceMs: 90_000 };
const HOUR_MS = 3_600_000;

/** A connection on which one byte comes at each of these moments, and none after. When it is given up, and how often it was asked. */
function lifeOf(byteAtMs: readonly number[], lateMs: readonly number[] = [0]) {
  const time = new SimulatedTime();
  const clock = time.clock(0);
  const raw = { bytesRead: 0 };
  const life = { endedAtMs: null as number | null, pings: 0 };
  let looks = 0;
  const ping = () => void (life.pings += 1);
  const terminate = () => {
    life.endedAtMs = clock.tickMs();
  };
  const socket = { isPaused: false, ping, terminate, on: () => socket };
  for (const atMs of byteAtMs) clock.after(atMs, () => void (raw.bytesRead += 1));
  // A busy process looks late.
  const late = (delayMs: number, run: () => void) => clock.after(delayMs + (lateMs[looks++ % lateMs.length] ?? 0), run);
  watchLife(socket as never, raw, patience, { ...clock, after: late });
  while (life.endedAtMs === null && time.runNext(HOUR_MS));
  return life;
}

test("a connection is never open for longer after its last byte than boards take it for", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(50_000), { maxLength: 20 }),
      fc.array(fc.nat(3_000), { minLength: 1, maxLength: 5 }),
      (pausesMs, lateMs) => {
        let atMs = 0;
        const bytes = pausesMs.map((pauseMs) => (atMs += pauseMs));
        const { endedAtMs } = lifeOf(bytes, lateMs);
        const silentMs = (endedAtMs ?? Infinity) - (bytes.at(-1) ?? 0);
        assert.ok(silentMs <= longestSilenceMs(patience), `open for ${silentMs} ms`);
      },
    ),
  );
});

test("a connection that says something within every minute is kept, and one that is silent is asked before it is given up", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 20 }), (pausesMs) => {
      let atMs = 0;
      const bytes = pausesMs.map((pauseMs) => (atMs += pauseMs));
      const { endedAtMs, pings } = lifeOf(bytes);
      assert.ok((endedAtMs ?? 0) > atMs, "it is there when its last byte comes");
      assert.ok(pings > 0);
    }),
  );
});
