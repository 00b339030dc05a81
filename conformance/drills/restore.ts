import { cp, rm } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { exportLog, type LogRow } from "../src/exported-log.ts";
import { factsOf, firstStore, visitStore, type PhoneFact } from "../src/field-day.ts";
import { openHq } from "../src/hq-client.ts";
import { startPhone, type PhoneProcess } from "../src/phone-process.ts";
import { enrolmentCode, operate, ROOT, startRelay } from "../src/relay-process.ts";
import { until } from "../src/until.ts";
import { counted, type Drill } from "./story.ts";

interface TermReport {
  readonly current: string;
  readonly terms: readonly { readonly term: string; readonly end: number | null }[];
  readonly lost: readonly {
    readonly term: string;
    readonly cause: string;
    readonly from: number;
    readonly until: number;
    readonly back: number;
    readonly named: number;
    readonly nobody: number;
    readonly missing: readonly { readonly position: number; readonly state: string }[];
  }[];
}

const SHOP = { field: "contactPhone", key: "shop" };
const TODAY = "06-761 0481";
const DRAIN = { timeoutMs: 60_000 };

/** Yesterday's copy of the relay's folder comes back while phones hold what was acknowledged since. */
export const restore: Drill = {
  does: "yesterday's copy of the relay's folder comes back; phones notice and bring back what was lost",
  times: 1,
  run: async ({ say }) => {
    const folder = await temporaryFolder("restore");
    const dir = path.join(folder, "relay");
    const copy = path.join(folder, "yesterday");
    const headFile = `${dir}.head`;
    await operate("import", path.join(ROOT, "sync-server/demo"), "--dir", dir);
    let relay = await startRelay(dir);
    const { port, url } = relay;
    const phones: PhoneProcess[] = [];
    const phoneOf = async (name: string, person: string) => {
      const code = await enrolmentCode(dir, person);
      const phone = await startPhone({ dir: path.join(folder, name), url, code });
      phones.push(phone);
      await phone.ask("go-online");
      return phone;
    };
    const terms = async () => JSON.parse(await operate("term", "list", "--dir", dir, "--json")) as TermReport;
    const rows = () => exportLog(dir);
    try {
      const anna = await phoneOf("anna", "R001");
      const badrul = await phoneOf("badrul", "R002");
      const drowned = await phoneOf("drowned", "R003");
      const hq = await openHq(url, await enrolmentCode(dir, "H001"));
      const store = await firstStore(anna);
      await visitStore(anna, store);
      await visitStore(badrul, await firstStore(badrul));
      await visitStore(drowned, await firstStore(drowned));
      for (const phone of phones) await phone.ask("drain", DRAIN, 65_000);
      say("Yesterday: three phones made a visit each, everything is at HQ.");

      await relay.process.stop();
      await cp(dir, copy, { recursive: true });
      relay = await startRelay(dir, port);
      await operate("backup", "verified", "--dir", dir, "--copy", copy);
      const kept = (await rows()).length;
      say("In the evening the relay's folder was copied, and the copy was checked.");

      for (const phone of phones) await phone.ask("network-changed");
      const visit = await visitStore(anna, store, "train_Oatly-Oat-Milk_004.jpg");
      await anna.ask("edit", { kind: "store", key: store, edits: [{ ...SHOP, set: TODAY }] });
      await visitStore(badrul, await firstStore(badrul));
      await visitStore(drowned, await firstStore(drowned));
      const fresh = await phoneOf("fresh", "R004");
      await visitStore(fresh, await firstStore(fresh));
      for (const phone of phones) {
        await until("today's work at HQ", async () => ((await online(phone)) ? true : null));
        await phone.ask("drain", DRAIN, 65_000);
      }
      const lostFacts = (await factsOf(drowned)).filter(({ position }) => (position ?? 0) >= kept);
      const before = await rows();
      say(
        "Today: four visits, a shelf photo, a store's new number, and a phone that was enrolled this morning. All is at HQ.",
      );

      await relay.process.kill();
      await drowned.kill();
      await rm(dir, { recursive: true });
      await rm(headFile);
      await cp(copy, dir, { recursive: true });
      say("The relay's disk dies. Yesterday's copy comes back; one phone has fallen into the river meanwhile.");
      relay = await startRelay(dir, port);
      const living = phones.filter((phone) => phone !== drowned);
      for (const phone of living) await phone.ask("network-changed");
      const first = await allBack(living, terms);
      const [lost] = first.lost;
      say(
        `The first phone that came showed a signed checkpoint of a longer log. Acknowledgements stopped, and term ${first.current} began at position ${lost?.from}.`,
      );
      say(
        `  ${lost?.back} of ${(lost?.until ?? 0) - (lost?.from ?? 0)} lost positions were brought back by the phones, each event once.`,
      );
      say(`  The phone that was enrolled this morning showed its certificate and was taken back.`);
      const photoAtHq = await until("the photo at HQ again", () => photoBytes(hq, visit.photo));
      const supervisor = await phoneOf("supervisor", "S001");
      const storeAgain = await until("the store's new number at HQ again", () => numberOf(supervisor, store));
      say(`  The shelf photo (${photoAtHq} bytes) and the store's new number were offered again too.`);
      const listed = (lost?.missing ?? []).filter(({ state }) => state === "nobody");
      const ofRelay = listed.filter(({ position }) => before[position]?.type !== "event").length;
      const isListed = lostFacts.every((fact) => listed.some(({ position }) => position === fact.position));
      say(
        `  \`sampai term list\` names ${counted(lost?.nobody ?? 0, "position")} that nobody holds: the ${counted(lostFacts.length, "event")} of the phone in the river, and ${counted(ofRelay, "record")} of the relay's own.`,
      );
      await operate("log", "verify", "--dir", dir);
      const whole = await judge([...living, supervisor], await rows());

      await relay.process.stop();
      await rm(dir, { recursive: true });
      await cp(copy, dir, { recursive: true });
      relay = await startRelay(dir, port);
      const alone = await terms();
      const noticedAlone =
        alone.lost.length > 0 && alone.lost.every(({ cause }) => cause === "head") && alone.current !== first.current;
      say("At night somebody puts the same old copy back. This time the head file beside the folder is still there:");
      say(`  the relay noticed by itself, before any phone came, and began term ${alone.current}.`);
      for (const phone of [...living, supervisor]) await phone.ask("network-changed");
      const second = await allBack([...living, supervisor], terms);
      await operate("log", "verify", "--dir", dir);
      const again = await judge([...living, supervisor], await rows());
      const photoAgain = await until("the photo at HQ once more", () => photoBytes(hq, visit.photo));
      const storeOnceMore = await until("the number once more", () => numberOf(supervisor, store));
      say("  Everything was brought back a second time.");

      const ok =
        noticedAlone &&
        isListed &&
        lostFacts.length > 0 &&
        lost?.cause === "claim" &&
        whole.lost + whole.doubled + again.lost + again.doubled === 0 &&
        photoAgain > 0 &&
        storeAgain === TODAY &&
        storeOnceMore === TODAY;
      say(ok ? "Nothing that a phone still holds was lost, nothing is there twice." : "See the figures.");
      return {
        drill: "restore",
        lostPositions: (lost?.until ?? 0) - (lost?.from ?? 0),
        back: lost?.back ?? 0,
        nobody: lost?.nobody ?? 0,
        lostFactsListed: isListed,
        terms: second.terms.length,
        noticedByPhones: lost?.cause === "claim",
        noticedByHeadFile: noticedAlone,
        photoAgain: photoAtHq > 0 && photoAgain > 0,
        documentAgain: storeAgain === TODAY && storeOnceMore === TODAY,
        afterPhones: whole,
        afterHeadFile: again,
        ok,
      };
    } finally {
      for (const phone of phones) await phone.kill();
      await relay.process.kill();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function online(phone: PhoneProcess): Promise<boolean> {
  return ((await phone.ask("status")) as { link: string }).link === "online";
}

/** Every fact on these phones has a place in the log as it is now, and their lanes are empty. */
async function allBack(phones: readonly PhoneProcess[], terms: () => Promise<TermReport>): Promise<TermReport> {
  await until("a new term", async () => ((await terms()).lost.length > 0 ? true : null));
  for (const phone of phones) {
    await until(
      "every fact in the new log",
      async () => {
        const ends = new Map((await terms()).terms.map(({ term, end }) => [term, end ?? Infinity]));
        const facts = await factsOf(phone);
        const stands = ({ term, position, state }: PhoneFact) =>
          state === "at-hq" && position !== null && position < (ends.get(term ?? "") ?? 0);
        return (await online(phone)) && facts.every(stands) ? true : null;
      },
      90_000,
    );
    await phone.ask("drain", DRAIN, 65_000);
  }
  return terms();
}

async function photoBytes(hq: Awaited<ReturnType<typeof openHq>>, id: string | null): Promise<number | null> {
  try {
    return (await hq.bytes(`/v1/photos/${id}`)).length;
  } catch {
    return null;
  }
}

async function numberOf(phone: PhoneProcess, key: string): Promise<string | null> {
  try {
    const { value } = (await phone.ask("view", { kind: "store", key })) as {
      value: { contactPhone?: Record<string, string> };
    };
    return value.contactPhone?.["shop"] === TODAY ? TODAY : null;
  } catch {
    return null;
  }
}

/** Compares what the phones hold with what the log holds. */
async function judge(phones: readonly PhoneProcess[], rows: readonly LogRow[]) {
  const held = new Set((await Promise.all(phones.map(factsOf))).flat().map(({ hash }) => hash));
  const times = new Map<string, number>();
  for (const { type, hash } of rows) if (type === "event") times.set(hash, (times.get(hash) ?? 0) + 1);
  return {
    held: held.size,
    lost: [...held].filter((hash) => !times.has(hash)).length,
    doubled: [...times.values()].filter((count) => count > 1).length,
    gapless: rows.every(({ position }, index) => position === index),
  };
}
