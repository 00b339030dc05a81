// Preloaded (`node --import`) into a process that starts. Looks at the main thread every millisecond, and where it came
// too late notes for how long the thread was blocked. Asked by SIGUSR2 it tells all on one line.
import { performance } from "node:perf_hooks";

/** Shorter gaps are the timer's own. */
const NOTED_MS = 4;

interface Block {
  /** By the system's clock, in milliseconds. */
  readonly fromMs: number;
  readonly tookMs: number;
  /** What the main thread computed meanwhile; the rest it waited, for a disk or for its turn. */
  readonly cpuMs: number;
}

const blocks: Block[] = [];
const threadCpuMs = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};
let lastMs = performance.now();
let lastCpuMs = threadCpuMs();
const watch = setInterval(() => {
  const nowMs = performance.now();
  const cpuMs = threadCpuMs();
  const tookMs = nowMs - lastMs;
  if (tookMs > NOTED_MS) blocks.push({ fromMs: performance.timeOrigin + lastMs, tookMs, cpuMs: cpuMs - lastCpuMs });
  lastMs = nowMs;
  lastCpuMs = cpuMs;
}, 1);
watch.unref();

process.on("SIGUSR2", () => {
  clearInterval(watch);
  const loaded = performance.getEntriesByName("loaded")[0]?.startTime ?? 0;
  const figures = { startedMs: performance.timeOrigin, loadedMs: performance.timeOrigin + loaded, blocks };
  process.stdout.write(`${JSON.stringify({ figures })}\n`);
});
