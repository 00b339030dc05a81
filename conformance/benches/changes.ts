import { cpuSpentMs, untilIdle } from "../src/process-figures.ts";
import type { AskedProcess } from "./asked-process.ts";
import type { Arrival } from "./following.ts";
import { atLeast, quantile, round, type Bench } from "./measure.ts";
import { openRelayUnderLoad, type RelayUnderLoad } from "./relay-under-load.ts";
import { latenciesOf, openStockUnderLoad } from "./stock/loads.ts";
import type { TimedPush } from "./write-at-rate.ts";

const WRITERS = 50;
const STEP_MS = 4_000;
const HOLDS_MS = 250;
/** Changes a second, tried one after the other until one is not held. */
const RATES = { one: [1_000, 2_000, 3_000, 4_000, 5_000, 6_000], five: [2_000, 4_000, 6_000, 8_000, 10_000] } as const;
const STOCK_RATES = [100, 200, 300, 400, 600] as const;
/** A slow step on a shared machine is tried once more before it counts. */
const TRIES = 2;

interface Step {
  readonly changesPerSecond: number;
  /** From when a change was due until its writer was told that it is durable. */
  readonly storedP99Ms: number;
  /** From when it was due until an observer had it. */
  readonly seenP50Ms: number;
  readonly seenP99Ms: number;
  readonly relayCpuMicrosPerChange: number;
  readonly held: boolean;
}

/** How many changes a second fifty people can make, each in a store of his own, watched by one observer. */
export const changes: Bench = {
  does: `changes a second that ${WRITERS} writers can make at p99 < ${HOLDS_MS} ms, beside automerge-repo`,
  run: async ({ say }) => {
    const load = await openRelayUnderLoad();
    const territories = Array.from({ length: WRITERS }, (_, index) => `T${index + 1}`);
    const writers = await load.devices({ maker: true, supervisors: territories });
    // The stores begin at a number whose territory is the first.
    await writers.ask("make", { from: WRITERS, count: WRITERS, edits: 20, territories });
    await writers.ask("share");
    await writers.ask("follow");
    const observer = await load.devices({ maker: true, supervisors: [] });
    await observer.ask("follow");
    const one = await climb(RATES.one, (rate) => step(load, writers, observer, rate, 1), say);
    const five = await climb(RATES.five, (rate) => step(load, writers, observer, rate, 5), say);
    await load.close();
    const stock = await stockSteps(say);
    return {
      bench: "changes",
      ours: { onePerPush: one, fivePerPush: five },
      stock,
      goals: [
        atLeast("changes a second at p99 < 250 ms, one a push", best(one), 4_000, "changes/s"),
        atLeast("changes a second at p99 < 250 ms, five a push", best(five), 8_000, "changes/s"),
      ],
    };
  },
};

const best = (steps: readonly Step[]) =>
  Math.max(0, ...steps.filter(({ held }) => held).map(({ changesPerSecond }) => changesPerSecond));

async function climb(
  rates: readonly number[],
  measure: (rate: number) => Promise<Step>,
  say: (sentence: string) => void,
): Promise<Step[]> {
  const steps: Step[] = [];
  for (const rate of rates) {
    let taken = await measure(rate);
    for (let tries = 1; !taken.held && tries < TRIES; tries += 1) taken = await measure(rate);
    steps.push(taken);
    const { storedP99Ms, seenP50Ms, seenP99Ms, relayCpuMicrosPerChange } = taken;
    say(
      `${rate} changes/s: stored p99 ${storedP99Ms} ms, seen p50 ${seenP50Ms} ms, p99 ${seenP99Ms} ms; relay ${relayCpuMicrosPerChange} µs CPU a change.`,
    );
    if (!taken.held) break;
  }
  return steps;
}

async function step(
  load: RelayUnderLoad,
  writers: AskedProcess,
  observer: AskedProcess,
  changesPerSecond: number,
  changesPerPush: number,
): Promise<Step> {
  const { pid } = load.relay().process;
  // The followers work off what the last step has left.
  await untilIdle(pid);
  await observer.ask("arrivals");
  const rate = { changesPerSecond, changesPerPush, forMs: STEP_MS, numbered: false };
  let pushes: readonly TimedPush[] = [];
  const relayCpuMs = await cpuSpentMs(pid, async () => {
    ({ pushes } = await writers.ask<{ pushes: TimedPush[] }>("write", rate));
  });
  const { arrivals } = await observer.ask<{ arrivals: Arrival[] }>("arrivals");
  const due = new Map(pushes.flatMap(({ dueMs, positions }) => positions.map((position) => [position, dueMs])));
  const seenMs = arrivals.flatMap(([position, atMs]) => atMs - (due.get(position) ?? Infinity));
  const seenP99Ms = seenMs.length < due.size ? Infinity : quantile(seenMs, 0.99);
  const storedP99Ms = quantile(
    pushes.map(({ dueMs, answeredMs }) => answeredMs - dueMs),
    0.99,
  );
  return {
    changesPerSecond,
    storedP99Ms: round(storedP99Ms),
    seenP50Ms: round(quantile(seenMs, 0.5)),
    seenP99Ms: round(seenP99Ms),
    relayCpuMicrosPerChange: Math.round((relayCpuMs * 1_000) / due.size),
    held: storedP99Ms < HOLDS_MS && seenP99Ms < HOLDS_MS,
  };
}

interface StockStep {
  readonly changesPerSecond: number;
  readonly seenP50Ms: number;
  readonly seenP99Ms: number;
}

/** Fifty Repos in two processes, each with a store of its own, and one Repo that has opened all of them. */
async function stockSteps(say: (sentence: string) => void): Promise<StockStep[]> {
  const stock = await openStockUnderLoad(WRITERS, WRITERS);
  const half = WRITERS / 2;
  const writers = [await stock.client(), await stock.client()];
  const openOwn = writers.map((writer, index) =>
    writer.ask("open", {
      url: stock.url(),
      dir: null,
      docs: stock.docs.slice(index * half, (index + 1) * half),
      repos: half,
      each: 1,
    }),
  );
  await Promise.all(openOwn);
  const observer = await stock.client();
  await observer.ask("open", { url: stock.url(), dir: null, docs: stock.docs });
  await observer.ask("watch");
  const steps: StockStep[] = [];
  for (const rate of STOCK_RATES) {
    const perSecond = rate / writers.length;
    const edits = (perSecond * STEP_MS) / 1_000;
    await Promise.all(writers.map((writer) => writer.ask("write", { edits, perSecond })));
    const { p50Ms, p99Ms } = await latenciesOf([observer]);
    steps.push({ changesPerSecond: rate, seenP50Ms: p50Ms, seenP99Ms: p99Ms });
    say(`automerge-repo, ${rate} changes/s: seen p50 ${p50Ms} ms, p99 ${p99Ms} ms, none of it durable.`);
    if (p99Ms >= HOLDS_MS) break;
  }
  await stock.close();
  return steps;
}
