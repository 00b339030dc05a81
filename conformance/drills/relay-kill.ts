import { rm } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { exportLog } from "../src/exported-log.ts";
import { OrderFleet } from "../src/order-fleet.ts";
import { isKept, judgeLog } from "../src/promised-orders.ts";
import { startRelay } from "../src/relay-process.ts";
import { seededRandom } from "../src/seeded-random.ts";
import { verifyFolder } from "../src/verify-command.ts";
import { counted, type Drill, type DrillOptions, type DrillOutcome } from "./story.ts";

const WRITERS = 16;
/** Orders that each writer has to bring in between two kills. */
const ORDERS = 20;

/** `kill -9` of the relay while devices send: whatever was acknowledged must be there, once, in order. */
export const relayKill: Drill = {
  does: `kill -9 of the relay while ${WRITERS} devices send orders; the log is verified after each`,
  times: 10,
  run: (options) => killRelay(WRITERS, options),
};

/** Kills a relay so many times while so many devices send. */
export async function killRelay(size: number, { times, seed, say }: DrillOptions): Promise<DrillOutcome> {
  const random = seededRandom(seed);
  const folder = await temporaryFolder("relay-kill");
  const dir = path.join(folder, "relay");
  let relay = await startRelay(dir);
  try {
    const fleet = await OrderFleet.enrol(dir, relay.url, size);
    const restartsMs: number[] = [];
    let verified = 0;
    let acknowledgedInFlight = 0;
    for (let kill = 1; kill <= times; kill += 1) {
      fleet.make(ORDERS);
      const before = fleet.acknowledged;
      // The kill strikes at a count of acknowledgements, not at a time: it always lies in the middle of the drain.
      const sending = await fleet.sendUntil(Math.floor(random() * size * ORDERS * 0.9));
      await relay.process.kill();
      await sending.ended;
      const inFlight = fleet.acknowledged - before;
      acknowledgedInFlight += inFlight;
      const started = performance.now();
      relay = await startRelay(dir, relay.port);
      restartsMs.push(Math.round(performance.now() - started));
      if (!(await fleet.send())) throw new Error("a connection ended without a kill");
      const { sound } = await verifyFolder(dir);
      if (sound) verified += 1;
      say(
        `Kill ${kill}: it struck after ${inFlight} of ${size * ORDERS} acknowledgements; up again in ${restartsMs.at(-1)} ms, the rest came in, ${sound ? "the log verifies" : "the log does NOT verify"}.`,
      );
    }
    const figures = judgeLog(fleet.promises(), await exportLog(dir));
    const ok = isKept(figures) && verified === times;
    say(
      ok
        ? `${counted(times, "kill")}, ${fleet.acknowledged} acknowledged orders, ${acknowledgedInFlight} of them before a kill: none lost, none doubled, none out of order, and the log verified each time.`
        : "The log does not hold what was acknowledged: see the figures.",
    );
    return {
      drill: "relay-kill",
      kills: times,
      writers: size,
      made: fleet.made,
      acknowledged: fleet.acknowledged,
      acknowledgedInFlight,
      ...figures,
      verified,
      restartMsMax: Math.max(...restartsMs),
      ok,
    };
  } finally {
    await relay.process.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
