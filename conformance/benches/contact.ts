import type { CountedLink } from "../src/counted-link.ts";
import { cpuMs, untilIdle } from "../src/process-figures.ts";
import { CAP_MS } from "./asked-process.ts";

/** What one contact cost. */
export interface Contact {
  /** Both ways, behind the HTTP 101. */
  readonly wireBytes: number;
  readonly serverCpuMs: number;
  /** From the first to the last byte. */
  readonly tookMs: number;
  readonly websockets: number;
  /** It came to its end within the cap, the server lived, and nothing that was asked for is missing. */
  readonly finished: boolean;
}

const DID_NOT_FINISH = "did not finish";

/**
 * Measures what `act` makes cross a link, until nothing has crossed it for `quietMs` after `done` holds, and what it
 * costs the server's processor meanwhile. It begins when the server is at rest, so that work of its own, such as
 * compaction, is not counted. Given up after 120 s, where `act` fails, or when the server is gone.
 */
export async function measureContact(
  link: CountedLink,
  pid: number,
  quietMs: number,
  act: () => Promise<unknown>,
  done: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<Contact> {
  await untilIdle(pid);
  const before = link.traffic();
  const cpuBefore = cpuMs(pid) ?? 0;
  let cpu = cpuBefore;
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
  const givenUp = () => failed || performance.now() - startedMs > CAP_MS;
  let finished = false;
  while (!givenUp()) {
    const now = cpuMs(pid);
    if (now === null) break;
    cpu = now;
    const { lastMs, websockets } = link.traffic();
    const quiet = performance.now() - Math.max(lastMs, startedMs) > quietMs;
    finished = acted && quiet && websockets > before.websockets && (await done());
    if (finished) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const after = link.traffic();
  return {
    wireBytes: after.upBytes + after.downBytes - before.upBytes - before.downBytes,
    serverCpuMs: cpu - cpuBefore,
    tookMs: Math.max(0, after.lastMs - startedMs),
    websockets: after.websockets - before.websockets,
    finished,
  };
}

export function sentenceOf(who: string, what: string, contact: Contact): string {
  const { wireBytes, serverCpuMs, tookMs, websockets, finished } = contact;
  const figures = `${(wireBytes / 1_024).toFixed(2)} KiB, server ${serverCpuMs.toFixed(1)} ms CPU, ${(tookMs / 1_000).toFixed(2)} s, ${websockets} websocket${websockets === 1 ? "" : "s"}`;
  return `${who}, ${what}: ${finished ? "" : `${DID_NOT_FINISH} (at most ${CAP_MS / 1_000} s are given); so far `}${figures}.`;
}
