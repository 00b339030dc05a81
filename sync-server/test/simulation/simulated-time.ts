import type { Clock } from "@sampai/engine/core";

/** Time that stands still until the simulation moves it; what waits then runs in its order. */
export class SimulatedTime {
  nowMs = Date.parse("2026-11-23T01:00:00.000Z");
  private readonly startMs = this.nowMs;
  private readonly timers = new Map<number, { readonly atMs: number; readonly run: () => void }>();
  private next = 0;

  /** One process's clock, which may be wrong by `skewMs`. After `stop` nothing of it runs any more. */
  clock(skewMs: number): Clock & { stop(): void } {
    let stopped = false;
    return {
      wallMs: () => this.nowMs + skewMs,
      tickMs: () => this.nowMs - this.startMs,
      boot: `boot-${this.next}`,
      after: (delayMs, run) => {
        const number = (this.next += 1);
        if (!stopped) {
          this.timers.set(number, { atMs: this.nowMs + delayMs, run: () => void (stopped || run()) });
        }
        return () => void this.timers.delete(number);
      },
      stop: () => {
        stopped = true;
      },
    };
  }

  advance(ms: number): void {
    this.nowMs += ms;
  }

  /** Runs the next timer that is due within `withinMs`, and goes on to its time; false where there is none. */
  runNext(withinMs: number): boolean {
    let first: [number, { readonly atMs: number; readonly run: () => void }] | null = null;
    for (const entry of this.timers) if (first === null || entry[1].atMs < first[1].atMs) first = entry;
    if (first === null || first[1].atMs > this.nowMs + withinMs) return false;
    this.timers.delete(first[0]);
    this.nowMs = Math.max(this.nowMs, first[1].atMs);
    first[1].run();
    return true;
  }
}

/** Lets everything that is ready run: promises, and what they started. */
export const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Some work, and whether it has come to its end. */
export function watch<T>(work: Promise<T>): { done(): boolean; readonly result: Promise<T> } {
  let done = false;
  const result = work.finally(() => {
    done = true;
  });
  // Whoever waits for the result hears of its failure.
  result.catch(() => undefined);
  return { done: () => done, result };
}
