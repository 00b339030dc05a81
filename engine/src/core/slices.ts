import type { Clock } from "./clock.ts";

/** Reading what a device holds may keep its screen waiting for so long at a time. */
const SLICE_MS = 8;

/** Gives the items one by one, and lets everything else that waits have its turn in between when it took long. */
export async function* inSlices<T>(items: Iterable<T>, clock: Pick<Clock, "tickMs" | "after">): AsyncGenerator<T> {
  let sinceMs = clock.tickMs();
  for (const item of items) {
    yield item;
    if (clock.tickMs() - sinceMs < SLICE_MS) continue;
    await new Promise<void>((resolve) => clock.after(0, resolve));
    sinceMs = clock.tickMs();
  }
}
