import { residentMb } from "../src/process-figures.ts";
import type { AskedProcess } from "./asked-process.ts";
import { atMost, round, type Bench } from "./measure.ts";
import { openRelayUnderLoad } from "./relay-under-load.ts";
import { openStockUnderLoad } from "./stock/loads.ts";

const FIRST = 2_000;
const ALL = 20_000;
const EDITS = 20;
const TERRITORIES = Array.from({ length: 100 }, (_, index) => `T${index + 1}`);
/** Looks after the writing, the lowest counts: what is free goes back to the system within seconds. */
const LOOKS = 10;
const LOOK_MS = 500;

/** What a relay takes when it has nothing to do, after 2,000 documents were written, and after 20,000. */
export const memory: Bench = {
  does: `relay memory idle, after ${FIRST} stores and after ${ALL} documents (--full: all of them whole stores), beside automerge-repo after ${FIRST}`,
  run: async ({ full, say }) => {
    const load = await openRelayUnderLoad();
    const { pid } = load.relay().process;
    const idleMb = await settled(pid);
    const maker = await load.devices({ maker: true, supervisors: [] });
    await fillWith(maker, "fill", 0, FIRST);
    const firstMb = await settled(pid);
    say(`Sampai: ${idleMb} MB idle, ${firstMb} MB after ${FIRST} documents.`);
    // A cache that is bounded does not notice how large the others are; a relay that keeps all of them does.
    await fillWith(maker, full ? "fill" : "sketch", FIRST, ALL - FIRST);
    const allMb = await settled(pid);
    say(`Sampai: ${allMb} MB after ${ALL} documents.`);
    await load.close();
    const stockMb = await stockAfterFirst();
    say(`automerge-repo: ${stockMb} MB after ${FIRST} documents, its clients gone.`);
    return {
      bench: "memory",
      ours: { idleMb, firstMb, allMb },
      stock: { firstMb: stockMb },
      goals: [
        atMost("relay memory after 20,000 documents", allMb, 150, "MB"),
        atMost("more than after 2,000 documents", allMb - firstMb, 15, "MB"),
      ],
    };
  },
};

/** Two processes of ten Repos open a hundred stores each and leave. Where they do not get all in time, what they got counts. */
async function stockAfterFirst(): Promise<number> {
  const stock = await openStockUnderLoad(0, FIRST);
  const half = FIRST / 2;
  const opening = [0, half].map(async (from) => {
    const client = await stock.client();
    const docs = stock.docs.slice(from, from + half);
    await client.ask("open", { url: stock.url(), dir: null, docs, repos: 10, each: half / 10 }).catch(() => undefined);
    await client.process.kill();
  });
  await Promise.all(opening);
  const megabytes = await settled(stock.server().process.pid);
  await stock.close();
  return megabytes;
}

/** In portions, so that each is answered in time. */
async function fillWith(maker: AskedProcess, verb: "fill" | "sketch", from: number, count: number): Promise<void> {
  const portion = 1_000;
  for (let done = 0; done < count; done += portion) {
    const numbers = { from: from + done, count: Math.min(portion, count - done) };
    await maker.ask(verb, { ...numbers, edits: EDITS, territories: TERRITORIES });
  }
}

async function settled(pid: number): Promise<number> {
  const seen: number[] = [];
  for (let looks = 0; looks < LOOKS; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    seen.push(residentMb(pid));
  }
  return round(Math.min(...seen));
}
