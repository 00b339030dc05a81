import path from "node:path";
import { RawWriter } from "./raw-writer.ts";
import { enrolmentCode, operate, ROOT, startRelay } from "./relay-process.ts";

const WRITERS = 4;
const BATCH_ORDERS = 50;
const IN_FLIGHT = 4;

/**
 * A data folder as a relay leaves it: the demo workspace's stores as documents, and at least so many orders from several
 * devices, sent over the wire. The relay has stopped when this resolves.
 */
export async function makeLedger(dir: string, orders: number): Promise<void> {
  await operate("import", path.join(ROOT, "sync-server/demo"), "--dir", dir);
  const relay = await startRelay(dir);
  const batches = Math.ceil(orders / WRITERS / BATCH_ORDERS);
  const send = async (writer: RawWriter) => {
    await writer.connect();
    let made = 0;
    // Batches leave in the order in which they were made, several on their way.
    const lane = async () => {
      while (made < batches) {
        made += 1;
        if (!(await writer.append(writer.makeOrders(BATCH_ORDERS)))) throw new Error("the relay ended");
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
    writer.close();
  };
  const writers: RawWriter[] = [];
  for (let index = 0; index < WRITERS; index += 1) {
    const add = { name: `Writer ${index + 1}`, role: "rep" };
    writers.push(await RawWriter.enrol(relay.url, await enrolmentCode(dir, `W${index + 1}`, add)));
  }
  await Promise.all(writers.map(send));
  const status = await relay.process.stop();
  if (status !== 0) throw new Error(`the relay stopped with status ${status}\n${relay.process.stderr()}`);
}
