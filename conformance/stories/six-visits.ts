import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { openHq } from "../src/hq-client.ts";
import { startPhone, type PhoneProcess } from "../src/phone-process.ts";
import { enrolmentCode, operate, ROOT, startRelay } from "../src/relay-process.ts";
import { seededRandom } from "../src/seeded-random.ts";
import { openShapedLink } from "../src/shaped-link.ts";
import {
  compareLedger,
  converged,
  countDuplicates,
  countVerifiedPhotos,
  type Fact,
  type LedgerRow,
} from "./captured.ts";
import { boardIsComplete, boardIsHonest } from "./headquarters-board.ts";
import { makeVisit, startDay, stopsOf, type PackOnPhone, type Stop, type Visit } from "./rep-day.ts";
import { waitFor } from "./waiting.ts";
import { makePhoneSizedPhoto, shelfPhotos } from "./shelf-photo.ts";

/** What the story ends with: the JSON line of the demonstration. Durations in milliseconds. */
export interface SixVisitsOutcome {
  readonly visits: number;
  readonly events: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
  readonly misordered: number;
  readonly duplicatesSuppressed: number;
  readonly photos: number;
  readonly photosVerified: number;
  readonly ordersSafeMs: number;
  readonly allDoneMs: number;
  readonly linkFloorMs: number;
  readonly masterConverged: boolean;
  readonly conflictsExplained: number;
  readonly boardHonest: boolean;
  readonly boardComplete: boolean;
  readonly attempts: number;
  readonly phoneKills: number;
  readonly ok: boolean;
}

const REP = "R001";
const SUPERVISOR = "S001";
const HQ = "H001";
const BITS_PER_SECOND = 400_000;
const ROUND_TRIP_MS = 200;
const VISITS = 6;
const DRAIN_MS = 300_000;

/** Tells the day of the mission on real processes and compares, at its end, all that should be equal. */
export async function tellSixVisits(options: {
  flaky: boolean;
  seed: number;
  say: (sentence: string) => void;
}): Promise<SixVisitsOutcome> {
  const { say } = options;
  const random = seededRandom(options.seed);
  const folder = await temporaryFolder("demo");
  const data = path.join(folder, "relay");
  say("A relay starts with the demo workspace: real shops, clinics and goods of one state.");
  await operate("import", path.join(ROOT, "sync-server/demo"), "--dir", data);
  const relay = await startRelay(data);
  const link = await openShapedLink(relay.port, { bitsPerSecond: BITS_PER_SECOND, delayMs: ROUND_TRIP_MS / 2 });
  const phoneAt = {
    dir: path.join(folder, "phone"),
    url: `http://127.0.0.1:${link.port}`,
    code: await enrolmentCode(data, REP),
  };
  let phone = await startPhone(phoneAt);
  const supervisor = await startPhone({
    dir: path.join(folder, "supervisor"),
    url: relay.url,
    code: await enrolmentCode(data, SUPERVISOR),
  });
  const hq = await openHq(relay.url, await enrolmentCode(data, HQ));
  try {
    say(`The rep ${REP} starts the day online, over a link of 400 kbit/s and 200 ms.`);
    await supervisor.ask("go-online");
    const pack = await startDay(phone);
    const stops = await stopsOf(phone, VISITS);
    say(
      `The phone holds reference pack ${pack.number} (${pack.goods.length} goods) and its territory's stores. First stop: ${stops[0]?.name}.`,
    );

    say("The signal goes. Nothing that follows leaves the phone.");
    link.cut();
    const cutAt = new Date().toISOString();
    const photos = await shelfPhotos();
    const visits: Visit[] = [];
    let phoneKills = 0;
    for (const [index, stop] of stops.entries()) {
      if (index === 3) {
        await phone.kill();
        phoneKills += 1;
        phone = await startPhone(phoneAt);
        await phone.ask("go-online");
        say("  Between the third and the fourth visit the phone's process was killed (kill -9) and started again.");
      }
      visits.push(await visit(phone, stop, pack, photos, folder, index, random));
      say(
        `  Visit ${index + 1} at ${stop.name}: check-in, order, photo, audit, activity, check-out. Saved on the phone.`,
      );
    }
    const shared = stops[0] as Stop;
    const contact = { field: "contactPhone", key: "shop" };
    await phone.ask("edit", { kind: "store", key: shared.store, edits: [{ ...contact, set: "06-761 0001" }] });
    await waitFor("the store on the supervisor's device", () =>
      supervisor.ask("view", { kind: "store", key: shared.store }),
    );
    await supervisor.ask("edit", { kind: "store", key: shared.store, edits: [{ ...contact, set: "06-761 0002" }] });
    await supervisor.ask("drain", { lanes: ["documents"], timeoutMs: 30_000 }, 35_000);
    say(`  Rep and supervisor both changed the telephone number of ${shared.name}, without knowing of each other.`);
    const boardHonest = await boardIsHonest(hq, REP, cutAt, say);

    const before = (await phone.ask("events")) as Fact[];
    const orderIds = new Set(visits.map(({ order }) => order));
    const ordersSafe = lastAcknowledgement(phone, orderIds);
    const returned = performance.now();
    say(
      `The signal returns${options.flaky ? ", for 5 s in every 10" : ""}. One acknowledgement is thrown away on its way, so the phone must try again.`,
    );
    const acknowledgementLost = link.loseNext("appended");
    if (options.flaky) link.flap(5_000, 5_000);
    link.restore();
    await phone.ask("network-changed");
    const ordersSafeMs = Math.round((await ordersSafe) - returned);
    say(`  Orders safe at headquarters after ${ordersSafeMs} ms.`);
    await acknowledgementLost;
    await phone.ask("drain", { lanes: ["facts", "documents"], timeoutMs: DRAIN_MS }, DRAIN_MS + 5_000);
    say(
      `  Facts and documents in after ${Math.round(performance.now() - returned)} ms; photos follow on their own channel.`,
    );
    await phone.ask("drain", { lanes: ["facts", "documents", "photos"], timeoutMs: DRAIN_MS }, DRAIN_MS + 5_000);
    const allDoneMs = Math.round(performance.now() - returned);
    say(`  Everything in after ${allDoneMs} ms.`);
    link.steady();

    const floor = await linkFloorMs(phone, before);
    const ledger = (await operate("log", "export", "--dir", data))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as LedgerRow)
      .filter(({ type }) => type === "event");
    const captured = (await phone.ask("events")) as Fact[];
    const held = compareLedger(captured, ledger);
    const photosVerified = await countVerifiedPhotos(hq, captured);
    const views = await Promise.all(
      [phone, supervisor].map(async (device) => {
        await device.ask("drain", { lanes: ["documents"], timeoutMs: 30_000 }, 35_000);
        return device;
      }),
    );
    const masterConverged = await converged(views[0] as PhoneProcess, views[1] as PhoneProcess, stops);
    const explained = (await phone.ask("explain", {
      kind: "store",
      key: shared.store,
      field: contact.field,
      row: contact.key,
    })) as Explanation;
    say(`Why the number is ${String(explained.value)}: ${explained.reason.en}`);
    const boardComplete = await boardIsComplete(hq, REP, visits.length, say);
    const attempts = ((await phone.ask("attempts")) as unknown[]).length;
    const trail = await operate("trail", visits[0]?.order ?? "", "--dir", data);
    say(`The trail of the first order:\n${indent(trail)}`);
    const duplicatesSuppressed = await countDuplicates(hq, captured);
    const outcome = {
      visits: visits.length,
      events: captured.length,
      ...held,
      duplicatesSuppressed,
      photos: visits.length,
      photosVerified,
      ordersSafeMs,
      allDoneMs,
      linkFloorMs: floor,
      masterConverged,
      conflictsExplained: explained.losers.length > 0 && explained.reason.en !== "" ? 1 : 0,
      boardHonest,
      boardComplete,
      attempts,
      phoneKills,
    };
    const ok =
      outcome.acknowledged === outcome.events &&
      outcome.lost + outcome.doubled + outcome.misordered === 0 &&
      duplicatesSuppressed >= 1 &&
      photosVerified === VISITS &&
      masterConverged &&
      outcome.conflictsExplained >= 1 &&
      boardHonest &&
      boardComplete &&
      visits.length === VISITS;
    say(
      ok
        ? "Everything that was captured is at headquarters, once, in order."
        : "Something is not as it should be: see the figures.",
    );
    return { ...outcome, ok };
  } finally {
    await Promise.all([phone.quit(), supervisor.quit()]);
    await link.close();
    await relay.process.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Explanation {
  readonly value: unknown;
  readonly reason: { readonly en: string };
  readonly losers: readonly unknown[];
}

async function visit(
  phone: PhoneProcess,
  stop: Stop,
  pack: PackOnPhone,
  photos: readonly string[],
  folder: string,
  index: number,
  random: () => number,
): Promise<Visit> {
  const file = path.join(folder, `photo-${index + 1}.jpg`);
  const name = photos[index % photos.length] as string;
  await writeFile(file, await makePhoneSizedPhoto(name, `Visit ${index + 1}`, pack.photo));
  return makeVisit(phone, stop, pack.goods, file, random);
}

/** Resolves with the moment at which the last of these facts was acknowledged, as the phone says it. */
function lastAcknowledgement(phone: PhoneProcess, ids: ReadonlySet<string>): Promise<number> {
  const open = new Set(ids);
  return new Promise((resolve) => {
    const stop = phone.process.onLine((line) => {
      if (line["event"] !== "acknowledged") return;
      open.delete(String(line["id"]));
      if (open.size > 0) return;
      stop();
      resolve(performance.now());
    });
  });
}

/** Captured events, document changes, previews and originals, each once and unframed, over the rate, and a round trip. */
async function linkFloorMs(phone: PhoneProcess, facts: readonly Fact[]): Promise<number> {
  const eventBytes = facts
    .filter(({ envelope }) => envelope.kind !== "attendance.started.v1")
    .reduce((sum, { envelope }) => sum + Buffer.byteLength(JSON.stringify(envelope)), 0);
  const attempts = (await phone.ask("attempts")) as { lane: string; outcome: string; bytes: number; item?: string }[];
  const documentBytes = attempts
    .filter(({ lane, outcome }) => lane === "documents" && outcome === "acknowledged")
    .reduce((sum, { bytes }) => sum + bytes, 0);
  const photos = (await phone.ask("photos")) as { bytes: number; previewBytes: number }[];
  const photoBytes = photos.reduce((sum, { bytes, previewBytes }) => sum + bytes + previewBytes, 0);
  return Math.round(((eventBytes + documentBytes + photoBytes) * 8_000) / BITS_PER_SECOND + ROUND_TRIP_MS);
}

const indent = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
