// Devices that know only the wire, many in one process: they write at a set rate, and note when each change was answered
// and when it reached each of them. Everything is encoded before it is timed. Driven by JSON lines; times are of the
// machine's monotonic clock, so that the processes of one bench can be compared.
import { createInterface } from "node:readline";
import { authorOf, pushAll } from "../src/relay-corpus.ts";
import { RawWriter } from "../src/raw-writer.ts";
import { StoreMaster } from "../src/store-masters.ts";
import { createFollowing, type Following } from "./following.ts";
import { writeAtRate, type Pen } from "./write-at-rate.ts";

interface Line {
  readonly n: number;
  readonly do: string;
  readonly url: string;
  readonly codes: readonly string[];
  readonly count: number;
  readonly from: number;
  readonly edits: number;
  readonly territories: readonly string[];
  readonly changesPerSecond: number;
  readonly forMs: number;
  readonly changesPerPush: number;
  readonly numbered: boolean;
}

/** Documents on their way at once while a relay is filled. */
const IN_FLIGHT = 16;

const devices: RawWriter[] = [];
const followings: Following[] = [];
let pens: Pen[] = [];

const verbs: Record<string, (line: Line) => object | Promise<object>> = {
  /** Enrols a device with each code and connects it. The first is of headquarters where stores are to be made. */
  enrol: async ({ url, codes }) => {
    for (const code of codes) {
      const device = await RawWriter.enrol(url, code);
      await device.connect();
      devices.push(device);
    }
    return {};
  },
  /** Makes stores by the first device and stores them; they lie in the territories in turn. It holds their pens. */
  make: async ({ from, count, edits, territories }) => {
    const maker = devices[0] as RawWriter;
    const numbers = Array.from({ length: count }, (_, index) => from + index);
    const made = new Map<number, StoreMaster>();
    await inLanes(numbers, async (number) => {
      const master = makeStore(maker, number, edits, territories);
      made.set(number, master);
      await pushAll(maker, master, master.changes);
    });
    pens = numbers.map((number) => ({ device: maker, master: made.get(number) as StoreMaster }));
    return { stores: pens.map(({ master: { doc, key } }) => ({ doc, key })) };
  },
  /** The same for many, which are forgotten when they are stored. */
  fill: async ({ from, count, edits, territories }) => {
    const maker = devices[0] as RawWriter;
    await inLanes(
      Array.from({ length: count }, (_, index) => from + index),
      async (number) => {
        const master = makeStore(maker, number, edits, territories);
        await pushAll(maker, master, master.changes);
      },
    );
    return {};
  },
  /** Stores of which only name and territory are known. */
  sketch: async ({ from, count, territories }) => {
    const maker = devices[0] as RawWriter;
    await inLanes(
      Array.from({ length: count }, (_, index) => from + index),
      async (number) => {
        const territory = territories[number % territories.length] as string;
        const master = StoreMaster.sketch(number, { ...authorOf(maker), role: "hq" }, territory);
        await pushAll(maker, master, master.changes);
      },
    );
    return {};
  },
  /** Hands each store to a device of its own, in order: a supervisor who goes on where headquarters ended. */
  share: () => {
    pens = pens.map(({ master }, index) => {
      const device = devices[index + 1] as RawWriter;
      return { device, master: master.fork({ ...authorOf(device), role: "supervisor" }) };
    });
    return {};
  },
  /** Follows the documents of every device's scope from now on, coming back by itself when the relay goes. */
  follow: async () => {
    for (const device of devices.slice(followings.length)) followings.push(createFollowing(device));
    await Promise.all(followings.map((following) => following.start()));
    return {};
  },
  contacts: () => ({ contacts: followings.map((following) => following.contacts()) }),
  /** Changes that reached a device since this was last asked: position and time. */
  arrivals: () => ({ arrivals: followings.flatMap((following) => following.arrivals()) }),
  write: (line) => writeAtRate(pens, line),
};

function makeStore(maker: RawWriter, number: number, edits: number, territories: readonly string[]): StoreMaster {
  const territory = territories[number % territories.length] as string;
  return StoreMaster.make(number, edits, { ...authorOf(maker), role: "hq" }, territory);
}

async function inLanes(numbers: readonly number[], act: (number: number) => Promise<void>): Promise<void> {
  const queue = numbers.values();
  const lane = async () => {
    for (const number of queue) await act(number);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
createInterface({ input: process.stdin }).on("line", (text) => {
  const line = JSON.parse(text) as Line;
  Promise.resolve(line)
    .then((asked) => verbs[asked.do]?.(asked) ?? {})
    .then(
      (value) => say({ n: line.n, value }),
      (error: unknown) => say({ n: line.n, error: String(error) }),
    );
});
say({ ready: true });
