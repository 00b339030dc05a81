import { readdirSync, readFileSync } from "node:fs";

/**
 * Processor time of a process and all its threads so far, in milliseconds; null where the process is gone. Linux only
 * (`/proc`, scheduler statistics).
 */
export function cpuMs(pid: number): number | null {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return null;
  }
  let nanoseconds = 0;
  for (const thread of threads) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // The thread has ended meanwhile.
    }
  }
  return nanoseconds / 1e6;
}

const LOOK_MS = 500;
/** What a process with nothing to do may take between two looks: its timers. */
const IDLE_CPU_MS = 3;

/** Resolves when a process has had nothing to do for a second, or is gone: work of its own is not counted as a guest's. */
export async function untilIdle(pid: number, timeoutMs = 60_000): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  for (let quiet = 0; quiet < 2;) {
    const before = cpuMs(pid);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const after = cpuMs(pid);
    if (before === null || after === null) return;
    quiet = after - before <= IDLE_CPU_MS ? quiet + 1 : 0;
    if (performance.now() > untilMs) throw new Error(`process ${pid} does not come to rest`);
  }
}

/** Processor time that a process spends while `act` runs, in milliseconds. Throws where the process is gone. */
export async function cpuSpentMs(pid: number, act: () => Promise<unknown>): Promise<number> {
  const before = cpuMs(pid);
  await act();
  const after = cpuMs(pid);
  if (before === null || after === null) throw new Error(`process ${pid} is gone`);
  return after - before;
}

/** Resident memory of a process in MB (10^6 bytes). Linux only. */
export function residentMb(pid: number): number {
  const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  return (kib * 1_024) / 1e6;
}
