import { cpuMs, untilIdle } from "../src/process-figures.ts";
import { until } from "../src/until.ts";
import type { Contacts } from "./following.ts";
import { CAP_MS } from "./asked-process.ts";
import { atMost, nowMs, round, type Bench } from "./measure.ts";
import { openRelayUnderLoad } from "./relay-under-load.ts";
import { openStockUnderLoad } from "./stock/loads.ts";

const CLIENTS = 100;
const DOCUMENTS_EACH = 5;
const FULL_DOCUMENTS_EACH = 20;
/** The stock storm is over when the server spends less than this in one look. */
const QUIET_CPU_MS = 15;
const LOOK_MS = 500;
/** A stock client tries again after five seconds. */
const STILL_MS = 7_000;
const STOCK_PROCESSES = 2;

interface Storm {
  /** More than a start without clients takes. */
  readonly serverCpuMs: number;
  /** From when the server was stopped until nothing moved any more. */
  readonly tookMs: number;
  readonly connections: number;
  readonly finished: boolean;
}

/** A relay is started again under a hundred clients, each with stores that have not changed. */
export const storm: Bench = {
  does: `${CLIENTS} clients with ${DOCUMENTS_EACH} stores each (--full: ${FULL_DOCUMENTS_EACH}) come back after a restart, beside automerge-repo`,
  run: async ({ full, say }) => {
    const each = full ? FULL_DOCUMENTS_EACH : DOCUMENTS_EACH;
    const ours = await ourStorm(each);
    say(sentenceOf("Sampai", ours));
    const stock = await stockStorm(each);
    say(sentenceOf("automerge-repo", stock));
    return {
      bench: "storm",
      ours,
      stock,
      goals: [
        atMost(`${CLIENTS} clients after a restart, relay CPU`, ours.serverCpuMs, 1_000, "ms"),
        atMost("connections made by all of them", ours.connections, CLIENTS, "connections"),
      ],
    };
  },
};

function sentenceOf(who: string, { serverCpuMs, tookMs, connections, finished }: Storm): string {
  const figures = `server ${Math.round(serverCpuMs)} ms CPU, ${(tookMs / 1_000).toFixed(2)} s, ${connections} connections for ${CLIENTS} clients`;
  return `${who}: ${finished ? "" : `did not finish in ${CAP_MS / 1_000} s; so far `}${figures}.`;
}

async function ourStorm(each: number): Promise<Storm> {
  const load = await openRelayUnderLoad();
  const territories = Array.from({ length: CLIENTS }, (_, index) => `T${index + 1}`);
  const maker = await load.devices({ maker: true, supervisors: [] });
  await maker.ask("fill", { from: CLIENTS, count: CLIENTS * each, edits: 20, territories });
  await maker.process.kill();
  // What the followers have not read yet is not the storm's, and what a start takes without anybody is not either.
  await untilIdle(load.relay().process.pid);
  await load.restart();
  await untilIdle(load.relay().process.pid);
  const startCpuMs = cpuMs(load.relay().process.pid) ?? 0;
  const clients = await load.devices({ maker: false, supervisors: territories });
  await clients.ask("follow");
  const contacts = async () => (await clients.ask<{ contacts: Contacts[] }>("contacts")).contacts;
  const before = connectionsOf(await contacts());
  await untilIdle(load.relay().process.pid);
  const stoppedMs = nowMs();
  await load.restart();
  const { pid } = load.relay().process;
  await until("all clients", async () => (await contacts()).every(({ caughtUpMs }) => caughtUpMs > stoppedMs), CAP_MS);
  await untilIdle(pid);
  const serverCpuMs = (cpuMs(pid) ?? 0) - startCpuMs;
  const after = await contacts();
  const storm = {
    serverCpuMs: round(serverCpuMs),
    tookMs: round(Math.max(...after.map(({ caughtUpMs }) => caughtUpMs)) - stoppedMs),
    connections: connectionsOf(after) - before,
    finished: true,
  };
  await load.close();
  return storm;
}

const connectionsOf = (contacts: readonly Contacts[]) => contacts.reduce((sum, { connected }) => sum + connected, 0);

/** The same with a hundred Repos in two processes. What the clients do before the restart is not measured. */
async function stockStorm(each: number): Promise<Storm> {
  const stock = await openStockUnderLoad(CLIENTS, CLIENTS * each);
  await untilIdle(stock.server().process.pid);
  const startCpuMs = cpuMs(stock.server().process.pid) ?? 0;
  const repos = CLIENTS / STOCK_PROCESSES;
  const half = stock.docs.length / STOCK_PROCESSES;
  const opening = Array.from({ length: STOCK_PROCESSES }, async (_, index) => {
    const client = await stock.client();
    const docs = stock.docs.slice(index * half, (index + 1) * half);
    // Connected is enough: who could not open all in time comes back nevertheless.
    await client.ask("open", { url: stock.url(), dir: null, docs, repos, each }).catch(() => undefined);
  });
  await Promise.all(opening);
  const startMs = nowMs();
  await stock.restart();
  const { pid } = stock.server().process;
  const isOver = () => nowMs() - startMs > CAP_MS;
  const quietMs = await quiet(pid, isOver);
  const serverCpuMs = (cpuMs(pid) ?? 0) - startCpuMs;
  const { connections } = await stock.server().ask<{ connections: number }>("figures");
  const storm = {
    serverCpuMs: round(serverCpuMs),
    tookMs: round(quietMs - startMs),
    connections,
    finished: !isOver(),
  };
  await stock.close();
  return storm;
}

/** Waits until a stock server hardly works any more, longer than its clients wait for their next try. Answers when that began. */
async function quiet(pid: number, isOver: () => boolean): Promise<number> {
  let sinceMs = nowMs();
  let spent = cpuMs(pid) ?? 0;
  while (nowMs() - sinceMs < STILL_MS && !isOver()) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const now = cpuMs(pid) ?? 0;
    if (now - spent > QUIET_CPU_MS) sinceMs = nowMs();
    spent = now;
  }
  return sinceMs;
}
