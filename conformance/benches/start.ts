import { rm } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { startLineProcess } from "../src/line-process.ts";
import { ROOT } from "../src/relay-process.ts";
import { openOurContacts } from "./corpus-contacts.ts";
import { atMost, round, type Bench } from "./measure.ts";
import { CAP_MS } from "./asked-process.ts";
import { seedStock } from "./stock/stock-processes.ts";

const DOCUMENTS = 500;
/** Starts of each side; the one in the middle by its first list counts. */
const STARTS = 3;
/** The watch goes on for so long behind the first list, over what a start leaves for later. */
const WATCHED_MS = 3_000;
const PROBE = path.join(import.meta.dirname, "start-probe.ts");

/** One start of a device that holds all stores. Its code is loaded before the watch begins, as an installed app's is. */
interface Start {
  /** From the process's start until its code was loaded. */
  readonly codeMs: number;
  /** From then until the list of all stores was handed out. */
  readonly firstListMs: number;
  /** Of it, how long the main thread was ready to run and other processes had the processors. */
  readonly queuedMs: number;
  /** Longest time for which the main thread did nothing else, from then until 3 s behind the list; not counting what it was queued. */
  readonly longestBlockMs: number;
  /** What the main thread computed in that block. */
  readonly blockCpuMs: number;
  readonly finished: boolean;
}

interface Figures {
  readonly startedMs: number;
  readonly loadedMs: number;
  readonly blocks: readonly {
    readonly fromMs: number;
    readonly tookMs: number;
    readonly cpuMs: number;
    readonly queuedMs: number;
  }[];
}

/** A device with 500 stores starts: how soon it lists them, and for how long nothing else could be done. */
export const start: Bench = {
  does: "a phone with 500 stores on its disk starts: time to the first list, longest block, beside automerge-repo",
  run: async ({ say }) => {
    const our = await openOurContacts(DOCUMENTS);
    await our.compare();
    await our.stopPhone();
    const phone = ["engine/bin/phone.ts", "--dir", our.phoneDir, "--url", "http://127.0.0.1:1"];
    const ours = await middleStart(() => measureStart(phone, [{ n: 1, do: "list", kind: "store" }]));
    await our.close();
    say(sentenceOf("Sampai", ours));
    const folder = await temporaryFolder("bench-start");
    const dir = path.join(folder, "client");
    await seedStock(dir, folder, our.masters);
    const docs = our.masters.map(({ doc }) => doc);
    const open = { n: 0, do: "open", url: null, dir, docs };
    const stock = await middleStart(() =>
      measureStart(["conformance/benches/stock/client.ts"], [open, { n: 1, do: "list" }]),
    );
    await rm(folder, { recursive: true, force: true });
    say(sentenceOf("automerge-repo", stock));
    return {
      bench: "start",
      ours,
      stock,
      goals: [
        atMost(`start with ${DOCUMENTS} stores, first list`, ours.firstListMs, 100, "ms"),
        atMost(`start with ${DOCUMENTS} stores, longest block`, ours.longestBlockMs, 50, "ms"),
      ],
    };
  },
};

async function measureStart(argv: readonly string[], lines: readonly object[]): Promise<Start> {
  const child = startLineProcess(["--import", PROBE, ...argv], ROOT);
  for (const line of lines) child.write(line);
  let listedMs: number | null = null;
  try {
    const { value } = await child.line(({ n }) => n === 1, CAP_MS);
    listedMs = performance.timeOrigin + performance.now();
    if ((value as unknown[]).length !== DOCUMENTS) throw new Error(`listed ${(value as unknown[]).length} stores`);
    await new Promise((resolve) => setTimeout(resolve, WATCHED_MS));
  } catch (error) {
    if (listedMs !== null) throw error;
  }
  process.kill(child.pid, "SIGUSR2");
  const { figures } = (await child.line((line) => line["figures"] !== undefined, CAP_MS)) as { figures: Figures };
  await child.kill();
  const listed = listedMs ?? performance.timeOrigin + performance.now();
  const { loadedMs } = figures;
  const blocks = figures.blocks
    .filter(({ fromMs, tookMs }) => fromMs + tookMs > loadedMs)
    // A block that began while the code was loaded counts from there on.
    .map((block) => {
      const behindMs = Math.min(block.tookMs, block.fromMs + block.tookMs - loadedMs);
      return { ...block, ownMs: Math.max(0, behindMs - block.queuedMs) };
    });
  const longest = blocks.reduce((most, block) => (block.ownMs > most.ownMs ? block : most), { ownMs: 0, cpuMs: 0 });
  const queuedMs = blocks.filter(({ fromMs }) => fromMs < listed).reduce((sum, block) => sum + block.queuedMs, 0);
  return {
    codeMs: round(loadedMs - figures.startedMs),
    firstListMs: round(listed - loadedMs),
    queuedMs: round(queuedMs),
    longestBlockMs: round(longest.ownMs),
    blockCpuMs: round(longest.cpuMs),
    finished: listedMs !== null,
  };
}

async function middleStart(measure: () => Promise<Start>): Promise<Start> {
  const starts: Start[] = [];
  for (let count = 0; count < STARTS; count += 1) starts.push(await measure());
  starts.sort((a, b) => a.firstListMs - b.firstListMs);
  return starts[Math.floor(STARTS / 2)] as Start;
}

function sentenceOf(who: string, start: Start): string {
  const { codeMs, firstListMs, queuedMs, longestBlockMs, blockCpuMs, finished } = start;
  const list = finished
    ? `first list after ${firstListMs} ms (${queuedMs} ms of them queued behind other processes)`
    : `no list in ${CAP_MS / 1_000} s: did not finish`;
  return `${who}, ${DOCUMENTS} stores on the disk: ${list}, longest block ${longestBlockMs} ms (${blockCpuMs} ms of them computing); code loaded in ${codeMs} ms before.`;
}
