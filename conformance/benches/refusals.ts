import { rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { codeIn, hostilePushes, refusalOf, type Scene } from "../src/hostile-pushes.ts";
import { startPhone } from "../src/phone-process.ts";
import { cpuMs, untilIdle } from "../src/process-figures.ts";
import type { RawWriter } from "../src/raw-writer.ts";
import { authorOf, enrol, pushAll } from "../src/relay-corpus.ts";
import { enrolmentCode, operate, ROOT, startRelay } from "../src/relay-process.ts";
import { pushChanges, StoreMaster } from "../src/store-masters.ts";
import { forgePack, tearDocument } from "../src/tampering.ts";
import { until } from "../src/until.ts";
import { atMost, quantile, round, type Bench } from "./measure.ts";

const TIMES = 40;
/** Ids that nobody made: as many as a hostile device asks for at once. */
const UNKNOWN_IDS = 3_000;
/** Times that are not counted: code is compiled in them. */
const WARM_UP = 5;
/** Times of what needs a contact each. */
const CONTACTS = 15;
const REST_MS = 300;
const GOAL_MS = 5;
const DEEP_CBOR = new Uint8Array(20_000).fill(0x81);

/** What refusing one thing cost, over many times. */
interface Cost {
  readonly what: string;
  readonly code: string;
  readonly times: number;
  readonly medianCpuMs: number;
  readonly meanCpuMs: number;
}

/** What bad input costs whoever refuses it: processor time of a real process, all its threads. */
export const refusals: Bench = {
  does: "processor time until bad input is refused, kind by kind: hostile changes, bombs, unknown ids, damage, a forged pack",
  run: async ({ say }) => {
    const folder = await temporaryFolder("bench-refusals");
    const dir = path.join(folder, "relay");
    const costs: Cost[] = [];
    const note = (cost: Cost) => {
      costs.push(cost);
      say(`${cost.what}: ${cost.code}, ${cost.medianCpuMs} ms (mean ${cost.meanCpuMs}, ${cost.times} times).`);
    };

    const relay = await startRelay(dir);
    const scene = await openScene(dir, relay.url);
    const { pid } = relay.process;
    const stored = await measure({ what: "an honest edit", code: "stored" }, pid, TIMES, () => editHonestly(scene));
    say(`Beside them, an honest edit that is stored: ${stored.medianCpuMs} ms.`);
    for (const hostile of hostilePushes) {
      const times = hostile.code === "doc.unknown" ? UNKNOWN_IDS : TIMES;
      const cost = await measure(hostile, pid, times, () => refusalOf(hostile, scene));
      note(less(cost, stored, hostile.stores ?? 0));
    }
    const deep = { what: "20,000 nested CBOR arrays", code: "frame.malformed" };
    const rested = () => connectAndRest(scene.rep);
    note(await measure(deep, pid, CONTACTS, () => sendDeep(scene.rep), rested));
    await relay.process.stop();

    tearDocument(dir, scene.outlet.doc);
    const restarted = await startRelay(dir, relay.port);
    await scene.rep.connect();
    const torn = { what: "an edit of a document that is torn in the relay's database", code: "doc.damaged" };
    note(await measure(torn, restarted.process.pid, TIMES, () => editTorn(scene)));
    scene.rep.close();
    await restarted.process.stop();

    note(await forgedPack(folder, dir));
    await rm(folder, { recursive: true, force: true });
    return {
      bench: "refusals",
      ours: costs,
      // The stock server judges nothing: what ends its process is no refusal.
      stock: null,
      goals: costs.map(({ what, medianCpuMs }) => atMost(`refusing ${what}, CPU`, medianCpuMs, GOAL_MS, "ms")),
    };
  },
};

/** A rep with an outlet, and an outlet in another territory. */
async function openScene(dir: string, url: string): Promise<Scene> {
  const begin = async (person: string, territory: string) => {
    const rep = await enrol(dir, url, person, "rep", [territory]);
    await rep.connect();
    const outlet = StoreMaster.begin(`tmp-${person}`, { ...authorOf(rep), role: "rep" });
    outlet.write([{ field: "name", value: "Kedai" }]);
    await pushAll(rep, outlet, outlet.changes);
    return { rep, outlet };
  };
  const [own, other] = [await begin("R901", "T1"), await begin("R902", "T2")];
  other.rep.close();
  return { ...own, foreign: other.outlet };
}

/** Has something refused again and again. Throws where it is refused with another code, or not at all. */
async function measure(
  { what, code }: { readonly what: string; readonly code: string },
  pid: number,
  times: number,
  refuse: () => Promise<string>,
  prepare: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Cost> {
  const costsMs: number[] = [];
  await untilIdle(pid);
  for (let time = 0; time < WARM_UP + times; time += 1) {
    await prepare();
    const before = cpuMs(pid);
    const refused = await refuse();
    const after = cpuMs(pid);
    if (refused !== code) throw new Error(`${what} was answered ${refused}, not ${code}`);
    if (before === null || after === null) throw new Error(`${what} ended the process`);
    if (time >= WARM_UP) costsMs.push(after - before);
  }
  const meanMs = costsMs.reduce((sum, cost) => sum + cost, 0) / times;
  return { what, code, times, medianCpuMs: round(quantile(costsMs, 0.5)), meanCpuMs: round(meanMs) };
}

/** What is left of a cost without so many times another one that was in it. */
function less(cost: Cost, other: Cost, times: number): Cost {
  const without = (ms: number, otherMs: number) => round(Math.max(0, ms - times * otherMs));
  return {
    ...cost,
    medianCpuMs: without(cost.medianCpuMs, other.medianCpuMs),
    meanCpuMs: without(cost.meanCpuMs, other.meanCpuMs),
  };
}

async function editHonestly({ rep, outlet }: Scene): Promise<string> {
  const edit = outlet.write([{ field: "town", value: `Town ${outlet.nextSeq}` }]);
  return (await pushAll(rep, outlet, [edit])).length === 1 ? "stored" : "not stored";
}

/** The relay's own work after a contact is not the refusal's. */
async function connectAndRest(rep: RawWriter): Promise<void> {
  await rep.connect();
  await delay(REST_MS);
}

async function sendDeep(rep: RawWriter): Promise<string> {
  const { closed, message } = await rep.sendRaw(DEEP_CBOR);
  return closed === 4400 ? "frame.malformed" : codeIn(message);
}

async function editTorn({ rep, outlet }: Scene): Promise<string> {
  return codeIn(await pushChanges(rep, outlet, [outlet.forge([])]));
}

/** A phone refuses packs, so its own processor is read: a contact with a forged pack, less one without. */
async function forgedPack(folder: string, dir: string): Promise<Cost> {
  await operate("import", path.join(ROOT, "sync-server/demo"), "--dir", dir);
  const relay = await startRelay(dir);
  const { url } = relay;
  const phone = await startPhone({ dir: path.join(folder, "phone"), url, code: await enrolmentCode(dir, "R001") });
  const contact = async (code: string) => {
    await phone.ask("go-online");
    await until("a contact", async () => ((await phone.ask("status")) as { link: string }).link === "online");
    await delay(REST_MS);
    await phone.ask("go-offline");
    return code;
  };
  await phone.ask("go-online");
  await until("the first pack", async () => (await phone.ask("pack")) !== null);
  await phone.ask("go-offline");
  const what = "a pack with a bad signature, on the phone";
  const plain = await measure({ what, code: "" }, phone.process.pid, CONTACTS, () => contact(""));
  await relay.process.stop();
  forgePack(dir);
  const again = await startRelay(dir, relay.port);
  const code = "pack.signature";
  const forged = await measure({ what, code }, phone.process.pid, CONTACTS, () => contact(code));
  const attempts = (await phone.ask("attempts")) as { code?: string }[];
  const refused = attempts.filter((attempt) => attempt.code === code).length;
  if (refused !== WARM_UP + CONTACTS) throw new Error(`the forged pack was refused ${refused} times`);
  await phone.quit();
  await again.process.stop();
  return less(forged, plain, 1);
}
