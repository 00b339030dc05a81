import type { Clock } from "../src/index.ts";

/** A clock that stands still until it is told to go on; everything that waits then runs in its order. */
export interface SimulatedTime {
  readonly nowMs: () => number;
  /** A device's own clock in this time. After `stop` nothing of it runs any more, as after a kill. */
  clock(boot: string): Clock & { stop(): void };
  /** Goes on by so many milliseconds, step by step, and lets all work finish at each step. */
  advance(ms: number): Promise<void>;
  /** Goes on until `done` holds, or `limitMs` have passed: then it answers false. */
  until(done: () => boolean, limitMs: number): Promise<boolean>;
}

const START_MS = Date.parse("2026-11-23T01:00:00.000Z");

export function createSimulatedTime(): SimulatedTime {
  let nowMs = START_MS;
  let next = 0;
  const timers = new Map<number, { readonly atMs: number; readonly run: () => void }>();
  // Everything here waits on promises alone, so one turn of the event loop finishes all of it.
  const rest = () => new Promise<void>((resolve) => setImmediate(resolve));
  const earliest = () =>
    [...timers].reduce<[number, { atMs: number; run: () => void }] | null>(
      (first, timer) => (first === null || timer[1].atMs < first[1].atMs ? timer : first),
      null,
    );
  const stepTo = async (untilMs: number): Promise<boolean> => {
    const first = earliest();
    if (first === null || first[1].atMs > untilMs) {
      nowMs = untilMs;
      return false;
    }
    timers.delete(first[0]);
    nowMs = Math.max(nowMs, first[1].atMs);
    first[1].run();
    await rest();
    return true;
  };
  return {
    nowMs: () => nowMs,
    clock: (boot) => {
      let stopped = false;
      return {
        wallMs: () => nowMs,
        tickMs: () => nowMs - START_MS,
        boot,
        after: (delayMs, run) => {
          const number = next;
          next += 1;
          timers.set(number, {
            atMs: nowMs + delayMs,
            run: () => {
              if (!stopped) run();
            },
          });
          return () => void timers.delete(number);
        },
        stop: () => {
          stopped = true;
        },
      };
    },
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      await rest();
      while (await stepTo(untilMs));
    },
    until: async (done, limitMs) => {
      const untilMs = nowMs + limitMs;
      await rest();
      while (!done()) if (!(await stepTo(untilMs))) return done();
      return true;
    },
  };
}
