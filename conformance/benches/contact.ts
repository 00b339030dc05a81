import type { CountedLink } from "../src/counted-link.ts";
import { cpuMs } from "../src/process-figures.ts";
import { CAP_MS } from "./stock/stock-processes.ts";

/** What one contact cost. */
export interface Contact {
  /** Both ways, behind the HTTP 101. */
  readonly wireBytes: number;
  readonly serverCpuMs: number;
  /** From the first to the last byte. */
  readonly tookMs: number;
  readonly websockets: number;
  readonly finished: boolean;
}

const DID_NOT_FINISH = "did not finish";

/**
 * Measures what `act` makes cross a link, until nothing has crossed it for `quietMs` after `done` holds, and what it
 * costs the server's processor meanwhile. Given up after 120 s.
 */
export async function measureContact(
  link: CountedLink,
  pid: number,
  quietMs: number,
  act: () => Promise<unknown>,
  done: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<Contact> {
  const before = link.traffic();
  const cpuBefore = cpuMs(pid);
  const startedMs = performance.now();
  let acted = false;
  let failed = false;
  act().then(
    () => {
      acted = true;
    },
    () => {
      failed = true;
    },
  );
  const over = () => performance.now() - startedMs > CAP_MS || failed;
  for (;;) {
    const { lastMs, websockets } = link.traffic();
    const quiet = performance.now() - Math.max(lastMs, startedMs) > quietMs;
    if (over() || (acted && quiet && websockets > before.websockets && (await done()))) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const after = link.traffic();
  return {
    wireBytes: after.upBytes + after.downBytes - before.upBytes - before.downBytes,
    serverCpuMs: cpuMs(pid) - cpuBefore,
    tookMs: Math.max(0, after.lastMs - startedMs),
    websockets: after.websockets - before.websockets,
    finished: !over(),
  };
}

export function sentenceOf(who: string, what: string, contact: Contact): string {
  const { wireBytes, serverCpuMs, tookMs, websockets, finished } = contact;
  const figures = `${(wireBytes / 1_024).toFixed(2)} KiB, server ${serverCpuMs.toFixed(1)} ms CPU, ${(tookMs / 1_000).toFixed(2)} s, ${websockets} websocket${websockets === 1 ? "" : "s"}`;
  return `${who}, ${what}: ${finished ? "" : `${DID_NOT_FINISH} in ${CAP_MS / 1_000} s; so far `}${figures}.`;
}
