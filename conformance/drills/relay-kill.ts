import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { RawWriter, type RawEvent } from "../src/raw-writer.ts";
import { enrolmentCode, operate, startRelay } from "../src/relay-process.ts";
import { seededRandom } from "../src/seeded-random.ts";
import type { Drill } from "./story.ts";

const WRITERS = 16;
/** Orders that each writer has to bring in between two kills. */
const ORDERS = 60;
const BATCH_ORDERS = 5;

interface Row {
  readonly position: number;
  readonly type: string;
  readonly device: string;
  readonly run: string;
  readonly seq: number;
  readonly hash: string;
}

/** `kill -9` of the relay while devices send: whatever was acknowledged must be there, once, in order. */
export const relayKill: Drill = {
  does: `kill -9 of the relay while ${WRITERS} devices send orders`,
  times: 10,
  run: async ({ times, seed, say }) => {
    const random = seededRandom(seed);
    const folder = await mkdtemp(path.join(tmpdir(), "sampai-relay-kill-"));
    const dir = path.join(folder, "relay");
    let relay = await startRelay(dir);
    const { port, url } = relay;
    const writers: RawWriter[] = [];
    for (let index = 0; index < WRITERS; index += 1) {
      const person = `R${String(index + 1).padStart(3, "0")}`;
      const code = await enrolmentCode(dir, person, { name: `Writer ${index + 1}`, role: "rep" });
      writers.push(await RawWriter.enrol(url, code));
    }
    const restartsMs: number[] = [];
    let verified = 0;
    let acknowledgedInFlight = 0;
    const made = new Map<string, RawEvent>();
    for (let kill = 1; kill <= times; kill += 1) {
      const queues = writers.map((writer) => writer.makeOrders(ORDERS));
      for (const event of queues.flat()) made.set(event.hash, event);
      const wanted = Math.floor(random() * WRITERS * ORDERS * 0.9);
      const before = acknowledged(writers);
      const sending = Promise.all(writers.map((writer, index) => send(writer, queues[index] as RawEvent[])));
      // The kill strikes at a count of acknowledgements, not at a time: it always lies in the middle of the drain.
      while (acknowledged(writers) - before < wanted) await new Promise((resolve) => setImmediate(resolve));
      await relay.process.kill();
      await sending;
      acknowledgedInFlight += acknowledged(writers) - before;
      const started = performance.now();
      relay = await startRelay(dir, port);
      restartsMs.push(Math.round(performance.now() - started));
      await Promise.all(
        writers.map((writer, index) =>
          finish(
            writer,
            (queues[index] as RawEvent[]).filter(({ hash }) => !writer.acknowledged.has(hash)),
          ),
        ),
      );
      await operate("log", "verify", "--dir", dir);
      verified += 1;
      say(
        `Kill ${kill}: ${acknowledged(writers) - before} orders acknowledged, the log verifies, up again in ${restartsMs.at(-1)} ms.`,
      );
    }
    for (const writer of writers) writer.close();
    const rows = (await operate("log", "export", "--dir", dir))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Row);
    await relay.process.stop();
    await rm(folder, { recursive: true, force: true });
    const figures = judge(writers, made, rows);
    const ok =
      figures.lost + figures.doubled + figures.misordered + figures.terms === 0 &&
      figures.gapless &&
      verified === times;
    say(
      ok
        ? `${figures.acknowledged} acknowledged orders, ${acknowledgedInFlight} of them around a kill: none lost, none doubled, none out of order.`
        : "The log does not hold what was acknowledged: see the figures.",
    );
    return {
      drill: "relay-kill",
      kills: times,
      writers: WRITERS,
      ...figures,
      verified,
      restartMsMax: Math.max(...restartsMs),
      ok,
    };
  },
};

const acknowledged = (writers: readonly RawWriter[]) =>
  writers.reduce((sum, { acknowledged: { size } }) => sum + size, 0);

async function send(writer: RawWriter, queue: readonly RawEvent[]): Promise<void> {
  try {
    await writer.connect();
    for (let at = 0; at < queue.length; at += BATCH_ORDERS) {
      if (!(await writer.append(queue.slice(at, at + BATCH_ORDERS)))) return;
    }
  } catch (error) {
    // A connection that was refused or cut by the kill is what this drill is about; a wrong answer is not.
    if (!/closed with|ECONNREFUSED|ECONNRESET/.test(String(error))) throw error;
  }
}

async function finish(writer: RawWriter, left: readonly RawEvent[]): Promise<void> {
  writer.close();
  await writer.connect();
  for (let at = 0; at < left.length; at += BATCH_ORDERS) {
    if (!(await writer.append(left.slice(at, at + BATCH_ORDERS))))
      throw new Error("the connection ended without a kill");
  }
}

/** Compares what the devices were told with what the log holds. */
function judge(writers: readonly RawWriter[], made: ReadonlyMap<string, RawEvent>, rows: readonly Row[]) {
  const events = rows.filter(({ type }) => type === "event");
  const byHash = new Map<string, Row[]>();
  for (const row of events) byHash.set(row.hash, [...(byHash.get(row.hash) ?? []), row]);
  let lost = 0;
  let moved = 0;
  for (const writer of writers) {
    for (const [hash, position] of writer.acknowledged) {
      const row = byHash.get(hash)?.[0];
      if (row === undefined) lost += 1;
      else if (row.position !== position) moved += 1;
    }
  }
  const last = new Map<string, number>();
  let misordered = moved;
  for (const row of events) {
    const key = `${row.device}/${row.run}`;
    if (row.seq !== (last.get(key) ?? 0) + 1) misordered += 1;
    last.set(key, row.seq);
  }
  return {
    made: made.size,
    acknowledged: acknowledged(writers),
    lost,
    doubled: [...byHash.values()].filter((same) => same.length > 1).length,
    misordered,
    // A kill is no restore: the head file beside the folder must never say so.
    terms: rows.filter(({ type }) => type === "term").length,
    gapless: rows.every(({ position }, index) => position === index),
  };
}
