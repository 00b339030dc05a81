import { rm } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { exportLog } from "../src/exported-log.ts";
import { factsOf, firstStore, visitStore } from "../src/field-day.ts";
import { openImageDisk, type ImageDisk } from "../src/image-disk.ts";
import { OrderFleet } from "../src/order-fleet.ts";
import { startPhone, type PhoneProcess } from "../src/phone-process.ts";
import { isKept, judgeLog } from "../src/promised-orders.ts";
import { enrolmentCode, operate, ROOT, startRelay, type RelayProcess } from "../src/relay-process.ts";
import { verifyFolder } from "../src/verify-command.ts";
import type { Drill } from "./story.ts";

const WRITERS = 16;
const ORDERS = 30;
const MIB = 1_048_576;
const DISK_BYTES = 256 * MIB;
/** What is left on the disk when it begins to be full: some commits still fit. */
const LEFT_BYTES = 2 * MIB;
/** Rounds of orders within which a disk without room must have run out. */
const ROUNDS = 200;
/** The status with which `sampai serve` ends when its disk has failed. */
const DISK_FAILED = 70;

/** The relay's disk runs full, fails while it is flushed, and runs out of blocks below its file system. */
export const diskErrors: Drill = {
  does: `the relay's disk runs full, then fails while it is flushed; ${WRITERS} devices and a phone send all the while`,
  times: 1,
  run: async ({ say }) => {
    const folder = await temporaryFolder("disk-errors");
    try {
      const disk = await openImageDisk(folder, DISK_BYTES);
      const scene = await begin(disk, folder, say);
      try {
        const full = await runsFull(scene);
        const failed = await failsUnderFlush(scene);
        const starved = await losesBlocks(scene);
        const ok = full.ok && failed.ok && starved.ok;
        say(ok ? "Nothing that was acknowledged was lost, and nothing was acknowledged in vain." : "See the figures.");
        return { drill: "disk-errors", writers: WRITERS, full, failed, starved, ok };
      } finally {
        await scene.phone.kill();
        await scene.relay.process.kill();
        await disk.close();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Scene {
  readonly disk: ImageDisk;
  readonly dir: string;
  readonly fleet: OrderFleet;
  readonly phone: PhoneProcess;
  readonly say: (sentence: string) => void;
  relay: RelayProcess;
}

async function begin(disk: ImageDisk, folder: string, say: Scene["say"]): Promise<Scene> {
  const dir = path.join(disk.path, "relay");
  await operate("import", path.join(ROOT, "sync-server/demo"), "--dir", dir);
  const relay = await startRelay(dir);
  const fleet = await OrderFleet.enrol(dir, relay.url, WRITERS);
  const code = await enrolmentCode(dir, "R001");
  const phone = await startPhone({ dir: path.join(folder, "phone"), url: relay.url, code });
  await phone.ask("go-online");
  fleet.make(ORDERS);
  await fleet.send();
  return { disk, dir, fleet, phone, say, relay };
}

/** ENOSPC: whoever sends is told so by a code, the relay stays up, and all goes on when there is room. */
async function runsFull({ disk, dir, fleet, phone, relay, say }: Scene) {
  const store = await firstStore(phone);
  await disk.fill(LEFT_BYTES);
  fleet.make(ORDERS * 10);
  let refusals = await fleet.offer();
  for (let round = 1; round < ROUNDS && refusals.length < WRITERS; round += 1) refusals = await fleet.offer();
  const codes = [...new Set(refusals.map(({ code }) => code))];
  const retryAfterMs = Math.min(...refusals.map((refusal) => refusal.retryAfterMs ?? 0));
  // One device's batch may still fit where that of all devices together did not.
  let byHttp = await fleet.post();
  for (let round = 1; round < ROUNDS && byHttp.status === 200; round += 1) byHttp = await fleet.post();
  const healthy = (await fetch(`${relay.url}/healthz`)).status;
  say(
    `The disk is full: each of ${refusals.length} devices is told ${codes.join(", ")}, and to come back after ${retryAfterMs / 1_000} s (HTTP: ${byHttp.status}, Retry-After ${byHttp.retryAfter}). The relay is up: /healthz answers ${healthy}.`,
  );
  const undisturbed = await linkOf(phone);
  const { order } = await visitStore(phone, store);
  const waits = (await stateOf(phone, order)) !== "at-hq";
  say(
    `  A phone that had nothing to send is still ${undisturbed}. Its rep orders now; the order ${waits ? "is safe on the phone and waits" : "has reached HQ"}.`,
  );

  await disk.empty();
  const refusedAfter = (await fleet.offer()).length;
  await fleet.send();
  await phone.ask("drain", { timeoutMs: 60_000 }, 65_000);
  const arrived = (await stateOf(phone, order)) === "at-hq";
  const judged = await judge(dir, fleet);
  say(
    `  There is room again: the same relay takes everybody's orders, the rep's order ${arrived ? "is at HQ" : "is NOT at HQ"}, ${judged.says}.`,
  );
  const ok =
    refusals.length === WRITERS &&
    codes.join() === "storage.full" &&
    retryAfterMs > 0 &&
    byHttp.status === 507 &&
    Number(byHttp.retryAfter) > 0 &&
    healthy === 200 &&
    undisturbed === "online" &&
    waits &&
    refusedAfter === 0 &&
    arrived &&
    judged.ok;
  return {
    refused: refusals.length,
    codes,
    retryAfterMs,
    http: byHttp,
    healthy,
    refusedAfter,
    phoneArrived: arrived,
    ...judged.figures,
    ok,
  };
}

/** EIO while a commit is flushed: the relay stops with a sentence, and what it had acknowledged is there afterwards. */
async function failsUnderFlush(scene: Scene) {
  const { disk, dir, fleet, say } = scene;
  fleet.make(ORDERS);
  const sending = await fleet.sendUntil((WRITERS * ORDERS) / 3);
  await disk.fail();
  const status = await scene.relay.process.end(30_000);
  await sending.ended;
  const says = sentenceOf(scene.relay.process.stderr());
  say(`The disk fails under the relay, which ends with status ${status}: “${says}”`);
  const restart = await startRelay(dir, scene.relay.port).then(
    async (relay) => {
      await relay.process.kill();
      return "it started";
    },
    (error: unknown) => sentenceOf((error as Error).message.split("\n").slice(1).join("\n")),
  );
  say(`  Started again on the failed disk, it says: “${restart}”`);
  await disk.heal();
  scene.relay = await startRelay(dir, scene.relay.port);
  const judged = await judge(dir, fleet);
  await fleet.send();
  say(`  The disk is back and the relay is started: ${judged.says}.`);
  const ok = status === DISK_FAILED && says !== "" && restart !== "it started" && judged.ok;
  return { status, says, restart, ...judged.figures, ok };
}

/**
 * A flush fails and the file system goes on: what was not stored lies in its memory as if it were. The relay that starts
 * on it must not promise anything that is only there, so the power goes next.
 */
async function losesBlocks(scene: Scene) {
  const { disk, dir, fleet, say } = scene;
  await disk.starve();
  let rounds = 0;
  for (let sent = true; sent && rounds < ROUNDS; rounds += 1) {
    fleet.make(ORDERS);
    sent = await fleet.send();
  }
  const status = await scene.relay.process.end(30_000);
  say(`There are no blocks left below the file system: a flush fails, and the relay ends with status ${status}.`);
  await disk.feed();
  scene.relay = await startRelay(dir, scene.relay.port);
  const first = await judge(dir, fleet);
  say(`  There are blocks again. The relay is started on what the file system has in memory: ${first.says}.`);
  fleet.make(ORDERS);
  const sending = await fleet.sendUntil((WRITERS * ORDERS) / 2);
  const promises = fleet.promises();
  await disk.cut();
  await scene.relay.process.kill();
  await sending.ended;
  await disk.powerReturns();
  scene.relay = await startRelay(dir, scene.relay.port);
  fleet.goBackTo(promises);
  const second = await judge(dir, fleet);
  say(`  Then the power goes, and with it that memory: ${second.says}.`);
  const ok = status === DISK_FAILED && first.ok && second.ok;
  return { status, rounds, ...second.figures, ok };
}

async function judge(dir: string, fleet: OrderFleet) {
  const promises = fleet.promises();
  const [rows, { sound, findings }] = await Promise.all([exportLog(dir), verifyFolder(dir)]);
  const figures = { acknowledged: promises.size, ...judgeLog(promises, rows), verified: sound };
  const ok = isKept(figures) && sound;
  const bad = findings.filter((finding) => !finding.sound).map(({ part, says }) => `${part}: ${says}`);
  return {
    figures,
    ok,
    says: ok
      ? `all ${promises.size} acknowledged orders are there, once and in order, and the log verifies`
      : `the log is NOT as promised, ${JSON.stringify(figures)} ${bad.join("; ")}`,
  };
}

const linkOf = async (phone: PhoneProcess) => ((await phone.ask("status")) as { link: string }).link;

const stateOf = async (phone: PhoneProcess, id: string) =>
  (await factsOf(phone)).find(({ envelope }) => envelope.id === id)?.state;

/** The first sentence that is no line of a log. */
const sentenceOf = (stderr: string) => stderr.split("\n").find((line) => /^[A-Za-z]/.test(line)) ?? "";
