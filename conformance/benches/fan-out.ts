import path from "node:path";
import { startPhone, type PhoneProcess } from "../src/phone-process.ts";
import { cpuSpentMs } from "../src/process-figures.ts";
import { until } from "../src/until.ts";
import type { Arrival } from "./following.ts";
import { atMost, nowMs, quantile, round, type Bench } from "./measure.ts";
import { openRelayUnderLoad } from "./relay-under-load.ts";
import { latenciesOf, openStockUnderLoad, type StockLatencies } from "./stock/loads.ts";
import type { TimedPush } from "./write-at-rate.ts";

const READERS = 50;
const EDITS_PER_SECOND = 10;
const FOR_MS = 12_000;
const TERRITORY = "T1";
/** Between two looks at the phone's store. */
const LOOK_MS = 3;

/** One writes, fifty follow, and one of them is a whole phone: from when a change was due until each had it. */
export const fanOut: Bench = {
  does: `one writer, ${READERS} live connections and a phone: how soon each has a change, beside automerge-repo`,
  run: async ({ say }) => {
    const ours = await ourFanOut();
    say(
      `Sampai, durable first: p50 ${ours.p50Ms} ms, p99 ${ours.p99Ms} ms at ${READERS} connections; the phone shows it after p50 ${ours.phoneP50Ms} ms, p99 ${ours.phoneP99Ms} ms; relay ${ours.relayCpuMicrosPerDelivery} µs CPU a delivery.`,
    );
    const stock = await stockFanOut();
    say(
      `automerge-repo, not durable: p50 ${stock.p50Ms} ms, p99 ${stock.p99Ms} ms; server ${stock.serverCpuMicrosPerDelivery} µs CPU a delivery.`,
    );
    return {
      bench: "fan-out",
      ours,
      stock,
      goals: [
        atMost(`one writer, ${READERS} connections: p99`, ours.p99Ms, 25, "ms"),
        atMost("deliveries lost", ours.lost, 0, "deliveries"),
      ],
    };
  },
};

async function ourFanOut() {
  const load = await openRelayUnderLoad();
  const writer = await load.devices({ maker: true, supervisors: [] });
  const made = await writer.ask<{ stores: { key: string }[] }>("make", {
    from: 1,
    count: 1,
    edits: 20,
    territories: [TERRITORY],
  });
  const key = made.stores[0]?.key ?? "";
  const readers = await load.devices({ maker: false, supervisors: Array.from({ length: READERS }, () => TERRITORY) });
  await readers.ask("follow");
  const phone = await startPhone({
    dir: path.join(load.folder, "phone"),
    url: load.relay().url,
    code: await load.invite(TERRITORY),
  });
  await phone.ask("go-online");
  await until(
    "the phone's store",
    async () => ((await phone.ask("list", { kind: "store" })) as unknown[]).length === 1,
  );
  const shown = watchPhone(phone, key);
  const rate = { changesPerSecond: EDITS_PER_SECOND, forMs: FOR_MS, changesPerPush: 1, numbered: true };
  let pushes: readonly TimedPush[] = [];
  const relayCpuMs = await cpuSpentMs(load.relay().process.pid, async () => {
    ({ pushes } = await writer.ask<{ pushes: TimedPush[] }>("write", rate));
  });
  const shownMs = await shown(pushes.length);
  const { arrivals } = await readers.ask<{ arrivals: Arrival[] }>("arrivals");
  await phone.quit();
  await load.close();
  const due = new Map(pushes.map(({ positions, dueMs }) => [positions[0], dueMs]));
  const takenMs = arrivals.map(([position, atMs]) => atMs - (due.get(position) ?? 0));
  const phoneMs = pushes.map(({ dueMs }, number) => (shownMs[number] ?? Infinity) - dueMs);
  return {
    p50Ms: round(quantile(takenMs, 0.5)),
    p99Ms: round(quantile(takenMs, 0.99)),
    lost: pushes.length * READERS - takenMs.length,
    storedP99Ms: round(
      quantile(
        pushes.map(({ dueMs, answeredMs }) => answeredMs - dueMs),
        0.99,
      ),
    ),
    phoneP50Ms: round(quantile(phoneMs, 0.5)),
    phoneP99Ms: round(quantile(phoneMs, 0.99)),
    relayCpuMicrosPerDelivery: Math.round((relayCpuMs * 1_000) / (takenMs.length + pushes.length)),
  };
}

/** Looks at the store again and again. The answer gives when each number was first seen, once the last one is. */
function watchPhone(phone: PhoneProcess, key: string): (count: number) => Promise<readonly number[]> {
  const shownMs: number[] = [];
  let ended = false;
  const look = async () => {
    for (;;) {
      if (ended) return;
      const { value } = (await phone.ask("view", { kind: "store", key })) as { value: { registrationNumber: string } };
      const atMs = nowMs();
      // A number that was replaced before it was looked at was there by then, too.
      const newest = Number(value.registrationNumber);
      if (newest < 100_000) for (let number = shownMs.length; number <= newest; number += 1) shownMs.push(atMs);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  };
  const looking = look();
  return async (count) => {
    await until("the last change on the phone", async () => shownMs.length >= count);
    ended = true;
    await looking;
    return shownMs;
  };
}

/** Fifty Repos in two processes and one more that writes. */
async function stockFanOut(): Promise<StockLatencies & { readonly serverCpuMicrosPerDelivery: number }> {
  const stock = await openStockUnderLoad(1, 1);
  const readers = [await stock.client(), await stock.client()];
  for (const reader of readers) {
    await reader.ask("open", { url: stock.url(), dir: null, docs: stock.docs, repos: READERS / 2 });
    await reader.ask("watch");
  }
  const writer = await stock.client();
  await writer.ask("open", { url: stock.url(), dir: null, docs: stock.docs });
  const edits = (EDITS_PER_SECOND * FOR_MS) / 1_000;
  const spentMs = await cpuSpentMs(stock.server().process.pid, () =>
    writer.ask("write", { edits, perSecond: EDITS_PER_SECOND }),
  );
  const latencies = await latenciesOf(readers);
  await stock.close();
  return {
    ...latencies,
    serverCpuMicrosPerDelivery: Math.round((spentMs * 1_000) / Math.max(1, latencies.arrived + edits)),
  };
}
