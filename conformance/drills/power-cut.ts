import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { exportLog } from "../src/exported-log.ts";
import { openImageDisk, type ImageDisk } from "../src/image-disk.ts";
import { mutatedTree, type Mutation } from "../src/mutated-tree.ts";
import { OrderFleet } from "../src/order-fleet.ts";
import { isKept, judgeLog, type LogFigures } from "../src/promised-orders.ts";
import { ROOT, startRelay } from "../src/relay-process.ts";
import { seededRandom } from "../src/seeded-random.ts";
import { verifyFolder } from "../src/verify-command.ts";
import { counted, type Drill } from "./story.ts";

const WRITERS = 16;
/** Orders that each writer has to bring in between two cuts. */
const ORDERS = 30;
/** Cuts that the control gets to lose something. */
const CONTROL_CUTS = 5;
const GIB = 1_073_741_824;
const DISK_BYTES = GIB;

/** The relay as it would be if it answered before its disk has what it promises. */
const NO_FLUSH: readonly Mutation[] = [
  { file: "sync-server/src/database/connection.ts", find: "synchronous = full", replace: "synchronous = off" },
  { file: "sync-server/src/database/head-file.ts", find: "      fdatasyncSync(descriptor);\n", replace: "" },
];

interface CutFigures extends LogFigures {
  /** Acknowledged before the power went. */
  readonly acknowledged: number;
  readonly verified: boolean;
}

/**
 * The power goes while devices send. Which orders were acknowledged is noted, then the relay's disk is kept as it is in
 * one instant; the relay is killed and started on that disk. As a control, the same is done to a copy of the relay that
 * does not flush: where that one loses nothing either, this drill has proved nothing.
 */
export const powerCut: Drill = {
  does: `the power goes while ${WRITERS} devices send orders, and a relay that does not flush must lose some`,
  times: 10,
  run: async ({ times, seed, say }) => {
    const folder = await temporaryFolder("power-cut");
    const random = seededRandom(seed);
    try {
      const cuts = await onNewDisk(folder, (disk) => {
        say(`The relay's disk is an ext4 image of ${DISK_BYTES / GIB} GiB that can be kept as of one instant.`);
        return cutPower(disk, ROOT, times, random, say);
      });
      say("The control: a copy of this relay that does not flush what it writes.");
      const root = path.join(folder, "no-flush");
      await mutatedTree(root, NO_FLUSH);
      const control = await onNewDisk(folder, (disk) =>
        cutPower(disk, root, CONTROL_CUTS, random, (sentence) => say(`  ${sentence}`)),
      );
      const controlLost = sum(control, "lost");
      const verifyClean = cuts.filter(({ verified }) => verified).length;
      const isSafe = cuts.every(isKept) && verifyClean === times;
      const ok = isSafe && controlLost > 0;
      const acknowledged = cuts.at(-1)?.acknowledged ?? 0;
      say(verdict());
      return {
        drill: "power-cut",
        seed,
        times,
        writers: WRITERS,
        acknowledged,
        lost: sum(cuts, "lost"),
        doubled: sum(cuts, "doubled"),
        misordered: sum(cuts, "misordered"),
        terms: sum(cuts, "terms"),
        gapless: cuts.every(({ gapless }) => gapless),
        verifyClean,
        control: { times: control.length, lost: controlLost },
        ok,
      };

      function verdict(): string {
        if (!isSafe) return "A power cut broke a promise: see the figures.";
        if (controlLost === 0)
          return "The relay that does not flush lost nothing either, so this drill proves nothing here.";
        return `${counted(times, "power cut")}, ${acknowledged} acknowledged orders: none lost, none doubled, none out of order, and the log verified each time. The relay that does not flush lost ${controlLost} in ${counted(control.length, "power cut")}.`;
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

const sum = (cuts: readonly CutFigures[], what: "lost" | "doubled" | "misordered" | "terms") =>
  cuts.reduce((total, figures) => total + figures[what], 0);

async function onNewDisk<T>(folder: string, work: (disk: ImageDisk) => Promise<T>): Promise<T> {
  const place = await mkdtemp(path.join(folder, "disk-"));
  const disk = await openImageDisk(place, DISK_BYTES);
  try {
    return await work(disk);
  } finally {
    await disk.close();
  }
}

/** Runs the relay of `root` on the disk and cuts its power so many times, or until something is lost. */
async function cutPower(
  disk: ImageDisk,
  root: string,
  times: number,
  random: () => number,
  say: (sentence: string) => void,
): Promise<readonly CutFigures[]> {
  const dir = path.join(disk.path, "relay");
  let relay = await startRelay(dir, 0, root);
  try {
    const fleet = await OrderFleet.enrol(dir, relay.url, WRITERS);
    // The drill is about orders: the devices shall be known after the first cut, whatever the relay flushes.
    await promisify(execFile)("sync", ["--file-system", disk.path]);
    const cuts: CutFigures[] = [];
    for (let cut = 1; cut <= times; cut += 1) {
      fleet.make(ORDERS);
      const sending = await fleet.sendUntil(Math.floor(random() * WRITERS * ORDERS * 0.9));
      const promises = fleet.promises();
      await disk.cut();
      await relay.process.kill();
      await sending.ended;
      await disk.powerReturns();
      try {
        relay = await startRelay(dir, relay.port, root);
      } catch (error) {
        say(`Cut ${cut}: the relay does not start on what was left of its disk. ${(error as Error).message}`);
        cuts.push(nothingLeft(promises.size));
        break;
      }
      const figures = { acknowledged: promises.size, ...(await judgeDisk(dir, promises)) };
      cuts.push(figures);
      say(`Cut ${cut}: ${promises.size} orders acknowledged so far, ${figures.lost} lost, ${seal(figures)}.`);
      if (figures.lost > 0) break;
      // What was answered after that instant was never heard: it is sent once more.
      fleet.goBackTo(promises);
      if (!(await fleet.send())) throw new Error("a connection ended although the power was on");
    }
    return cuts;
  } finally {
    await relay.process.kill();
  }
}

async function judgeDisk(dir: string, promises: ReadonlyMap<string, number>) {
  const [rows, { sound }] = await Promise.all([exportLog(dir), verifyFolder(dir)]);
  return { ...judgeLog(promises, rows), verified: sound };
}

const seal = ({ verified, ...figures }: CutFigures) =>
  isKept(figures) && verified
    ? "all in order, the log verifies"
    : `the log is not as promised: ${JSON.stringify(figures)}`;

const nothingLeft = (acknowledged: number): CutFigures => ({
  acknowledged,
  lost: acknowledged,
  doubled: 0,
  misordered: 0,
  terms: 0,
  gapless: false,
  verified: false,
});
