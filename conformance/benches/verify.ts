import { rm, stat } from "node:fs/promises";
import { readFileSync } from "node:fs";
import path from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { makeLedger } from "../src/ledger.ts";
import { ROOT } from "../src/relay-process.ts";
import { atLeast, atMost, type Bench } from "./measure.ts";

const ORDERS = 20_000;
const FULL_ORDERS = 1_000_000;

/** How fast a whole data folder is proved, and in how much memory. */
export const verify: Bench = {
  does: `rows a second and memory of "sampai verify" over ${ORDERS} orders (--full: ${FULL_ORDERS})`,
  run: async ({ full, say }) => {
    const folder = await temporaryFolder("bench-verify");
    const dir = path.join(folder, "relay");
    const orders = full ? FULL_ORDERS : ORDERS;
    await makeLedger(dir, orders);
    const { size } = await stat(path.join(dir, "relay.sqlite"));
    const started = performance.now();
    const child = spawn(process.execPath, ["sync-server/bin/sampai.ts", "verify", dir], { cwd: ROOT, stdio: "ignore" });
    let peakKib = 0;
    const watch = setInterval(() => {
      peakKib = Math.max(peakKib, peakOf(child.pid ?? 0));
    }, 50);
    const [status] = (await once(child, "exit")) as [number | null];
    clearInterval(watch);
    const tookMs = performance.now() - started;
    await rm(folder, { recursive: true, force: true });
    if (status !== 0) throw new Error(`verify ended with status ${status}`);
    const rate = Math.round((orders * 1_000) / tookMs);
    const memoryMib = Math.round(peakKib / 1_024);
    say(`${orders} orders in ${Math.round(tookMs)} ms: ${rate} a second, at most ${memoryMib} MiB.`);
    return {
      bench: "verify",
      ours: { orders, databaseMib: Math.round(size / 1_048_576), tookMs: Math.round(tookMs), rate, memoryMib },
      stock: null,
      goals: [
        atLeast("orders verified a second", rate, 3_000, "orders/s"),
        atMost("memory of a verification", memoryMib, 400, "MiB"),
      ],
    };
  },
};

/** The most memory that a process has had, in KiB (Linux); 0 where nobody says. */
function peakOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
