// Preloaded (`node --import`) into a process that starts. Looks at the main thread every millisecond, and where it came
// too late notes for how long the thread was blocked. Asked by SIGUSR2 it tells all on one line.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

/** Shorter gaps are the timer's own. */
const NOTED_MS = 4;

interface Block {
  /** By the system's clock, in milliseconds. */
  readonly fromMs: number;
  readonly tookMs: number;
  /** What the main thread computed meanwhile. */
  readonly cpuMs: number;
  /** For how long it was ready to run and other processes had the processors: the machine's share, not the program's. */
  readonly queuedMs: number;
}

const blocks: Block[] = [];

/** Processor time and time in the run queue of the main thread so far. Linux only (scheduler statistics). */
function scheduled(): { cpuMs: number; queuedMs: number } {
  const [cpu, queued] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ").map(Number);
  return { cpuMs: (cpu ?? 0) / 1e6, queuedMs: (queued ?? 0) / 1e6 };
}

let last = { atMs: performance.now(), ...scheduled() };
const watch = setInterval(() => {
  const now = { atMs: performance.now(), ...scheduled() };
  const tookMs = now.atMs - last.atMs;
  if (tookMs > NOTED_MS) {
    const fromMs = performance.timeOrigin + last.atMs;
    blocks.push({ fromMs, tookMs, cpuMs: now.cpuMs - last.cpuMs, queuedMs: now.queuedMs - last.queuedMs });
  }
  last = now;
}, 1);
watch.unref();

process.on("SIGUSR2", () => {
  clearInterval(watch);
  const loaded = performance.getEntriesByName("loaded")[0]?.startTime ?? 0;
  const figures = { startedMs: performance.timeOrigin, loadedMs: performance.timeOrigin + loaded, blocks };
  process.stdout.write(`${JSON.stringify({ figures })}\n`);
});
