import { generateKeyPairSync, sign, verify } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { RawWriter, type PreparedRequest, type RawEvent } from "../src/raw-writer.ts";
import { enrolmentCode, startRelay } from "../src/relay-process.ts";
import { atLeast, quantile, round, type Bench } from "./measure.ts";

const PHONES = 50;
/** Batches that a phone has on their way at once. */
const IN_FLIGHT = 4;
const PROFILES = [
  { phones: 1, batch: 1, orders: 1_500 },
  { phones: 8, batch: 1, orders: 6_000 },
  { phones: 50, batch: 1, orders: 20_000 },
  { phones: 1, batch: 50, orders: 10_000 },
  { phones: 8, batch: 50, orders: 40_000 },
  { phones: 50, batch: 50, orders: 60_000 },
] as const;

interface Figures {
  readonly phones: number;
  readonly batch: number;
  readonly ordersPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Orders a second from websocket to acknowledgement: verified, admitted, committed with a full fsync. */
export const orders: Bench = {
  does: "durable acknowledged orders a second, beside plain fdatasync and plain signatures of the same run",
  run: async ({ say }) => {
    const folder = await temporaryFolder("bench-orders");
    const dir = path.join(folder, "relay");
    const relay = await startRelay(dir);
    const writers: RawWriter[] = [];
    for (let index = 0; index < PHONES; index += 1) {
      const code = await enrolmentCode(dir, `R${index}`, { name: `Phone ${index}`, role: "rep" });
      writers.push(await RawWriter.enrol(relay.url, code));
    }
    const first = writers[0] as RawWriter;
    const sample = first.makeOrders(1)[0] as RawEvent;
    await first.connect();
    await first.append([sample]);
    first.close();
    const floor = { ...fdatasyncFloor(path.join(folder, "floor"), sample.bytes), signatures: signatureFloor() };
    say(
      `Floor of this disk: ${floor.single} fdatasync/s of one order each, ${floor.batched} orders/s in batches of 50. ` +
        `Floor of one processor: ${floor.signatures} signatures verified a second, of which each batch needs one.`,
    );
    const ours: Figures[] = [];
    for (const profile of PROFILES) {
      const figures = await measure(writers.slice(0, profile.phones), profile.batch, profile.orders);
      ours.push(figures);
      say(
        `${profile.phones} phones, batches of ${profile.batch}: ${figures.ordersPerSecond} orders/s, p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms.`,
      );
    }
    for (const writer of writers) writer.close();
    await relay.process.stop();
    await rm(folder, { recursive: true, force: true });
    const best = (batch: number) =>
      Math.max(...ours.filter((one) => one.batch === batch).map((one) => one.ordersPerSecond));
    const single = ours.find(({ phones, batch }) => phones === PHONES && batch === 1)?.ordersPerSecond ?? 0;
    return {
      bench: "orders",
      ours,
      stock: { floor, ratioBatched: round(best(50) / floor.batched), ratioOneByOne: round(single / floor.single) },
      goals: [
        atLeast("durable orders a second, batched", best(50), 10_000, "orders/s"),
        atLeast("durable orders a second, one by one from 50 phones", single, 4_000, "orders/s"),
      ],
    };
  },
};

async function measure(writers: readonly RawWriter[], batch: number, total: number): Promise<Figures> {
  const each = Math.floor(total / writers.length / batch);
  // Signed and encoded beforehand: what a phone's processor costs is not the relay's figure.
  const prepared = writers.map((writer) =>
    Array.from({ length: each }, () => writer.prepare(writer.batch(writer.makeOrders(batch)))),
  );
  await Promise.all(writers.map((writer) => writer.connect()));
  const waits: number[] = [];
  const started = performance.now();
  await Promise.all(
    writers.map(async (writer, index) => {
      const batches = prepared[index] as PreparedRequest[];
      let next = 0;
      const lane = async () => {
        while (next < batches.length) {
          const message = batches[next] as PreparedRequest;
          next += 1;
          const sent = performance.now();
          const reply = await writer.ask(message);
          if (reply?.["type"] !== "appended") throw new Error(`append was answered ${JSON.stringify(reply)}`);
          waits.push(performance.now() - sent);
        }
      };
      await Promise.all(Array.from({ length: batch === 1 && writers.length > 1 ? 1 : IN_FLIGHT }, lane));
    }),
  );
  const tookMs = performance.now() - started;
  for (const writer of writers) writer.close();
  return {
    phones: writers.length,
    batch,
    ordersPerSecond: Math.round((each * batch * writers.length * 1_000) / tookMs),
    p50Ms: round(quantile(waits, 0.5)),
    p99Ms: round(quantile(waits, 0.99)),
  };
}

/** What the disk alone allows: the bytes of one order, or of fifty, and fdatasync, again and again. */
function fdatasyncFloor(file: string, order: Uint8Array): { single: number; batched: number } {
  const rate = (count: number, rounds: number) => {
    const descriptor = openSync(file, "w");
    const bytes = Buffer.concat(Array.from({ length: count }, () => order));
    const started = performance.now();
    for (let round = 0; round < rounds; round += 1) {
      writeSync(descriptor, bytes);
      fdatasyncSync(descriptor);
    }
    closeSync(descriptor);
    return Math.round((count * rounds * 1_000) / (performance.now() - started));
  };
  return { single: rate(1, 1_000), batched: rate(50, 500) };
}

/** What one processor allows that does nothing else: Ed25519 signatures over a batch's text, verified one after another. */
function signatureFloor(): number {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const text = Buffer.alloc(250, "sampai");
  const signature = sign(null, text, privateKey);
  const rounds = 2_000;
  const started = performance.now();
  for (let round = 0; round < rounds; round += 1) verify(null, text, publicKey, signature);
  return Math.round((rounds * 1_000) / (performance.now() - started));
}
