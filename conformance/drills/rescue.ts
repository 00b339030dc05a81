import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { temporaryFolder } from "../src/temporary-folder.ts";
import { exportLog } from "../src/exported-log.ts";
import { factsOf, firstStore, visitStore } from "../src/field-day.ts";
import { startPhone, type PhoneProcess } from "../src/phone-process.ts";
import { enrolmentCode, operate, ROOT, startRelay } from "../src/relay-process.ts";
import { until } from "../src/until.ts";
import { counted, type Drill } from "./story.ts";

interface Report {
  readonly events: Readonly<Record<string, number>>;
  readonly changes: { readonly stored: number; readonly refused: readonly unknown[] };
  readonly photos: readonly unknown[];
}
interface Failure {
  readonly code?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

const DRAIN = { timeoutMs: 60_000 };
const NUMBER = "06-761 0099";

/** A phone that will not reach the relay any more: its unsent queue travels as a file. */
export const rescue: Drill = {
  does: "a phone without a link hands its unsent queue over as a sealed file, a revoked one too",
  times: 1,
  run: async ({ say }) => {
    const folder = await temporaryFolder("rescue");
    const dir = path.join(folder, "relay");
    const other = path.join(folder, "other-workspace");
    const fileOf = (name: string) => path.join(folder, `${name}.rescue`);
    await operate("import", path.join(ROOT, "sync-server/demo"), "--dir", dir);
    const relay = await startRelay(dir);
    const phones: PhoneProcess[] = [];
    const phoneOf = async (name: string, person: string) => {
      const code = await enrolmentCode(dir, person);
      const phone = await startPhone({ dir: path.join(folder, name), url: relay.url, code });
      phones.push(phone);
      await phone.ask("go-online");
      return phone;
    };
    const rows = () => exportLog(dir);
    const importInto = async (file: string, at = dir): Promise<Report> => {
      try {
        return JSON.parse(await operate("rescue", "import", file, "--dir", at, "--json")) as Report;
      } catch (error) {
        // Bad news is told with status 1, and on standard output all the same.
        const { stdout } = error as Failure;
        if (stdout === undefined || stdout === "") throw error;
        return JSON.parse(stdout) as Report;
      }
    };
    /** Answers the code of the refusal; the log must be as long as before. */
    const refused = async (file: string, at = dir): Promise<string> => {
      const before = (await rows()).length;
      try {
        await operate("rescue", "import", file, "--dir", at);
      } catch (error) {
        const code = /^([a-z]+\.[a-z]+):/.exec((error as Failure).stderr ?? "")?.[1] ?? "no code";
        return (await rows()).length === before ? code : `${code}, but something moved`;
      }
      return "imported";
    };
    try {
      const phone = await phoneOf("phone", "R001");
      const store = await firstStore(phone);
      await phone.ask("drain", DRAIN, 65_000);
      await phone.ask("go-offline");
      await visitStore(phone, store, "train_Oatly-Oat-Milk_004.jpg");
      await visitStore(phone, store);
      await phone.ask("edit", {
        kind: "store",
        key: store,
        edits: [{ field: "contactPhone", key: "shop", set: NUMBER }],
      });
      const made = (await factsOf(phone)).map(({ hash }) => hash);
      const written = (await phone.ask("rescue", { file: fileOf("queue") })) as Record<string, number>;
      say(
        `A phone whose modem is broken holds ${counted(written["events"] ?? 0, "event")}, ${counted(written["documents"] ?? 0, "edited document")} and ${counted(written["photos"] ?? 0, "photo")}. It writes what it owes into one sealed file.`,
      );

      const whole = await readFile(fileOf("queue"));
      await operate("import", path.join(ROOT, "sync-server/demo"), "--dir", other);
      await writeFile(fileOf("cut"), whole.subarray(0, whole.length - 40));
      const altered = Buffer.from(whole);
      altered[Math.floor(altered.length / 2)] = (altered[Math.floor(altered.length / 2)] as number) ^ 1;
      await writeFile(fileOf("altered"), altered);
      const second = await phoneOf("second", "R002");
      const secondStore = await firstStore(second);
      await second.ask("go-offline");
      await visitStore(second, secondStore);
      await second.ask("rescue", { file: fileOf("second") });
      await writeFile(fileOf("swapped"), swapDevices(whole, await readFile(fileOf("second"))));
      const refusals = {
        cut: await refused(fileOf("cut")),
        altered: await refused(fileOf("altered")),
        swapped: await refused(fileOf("swapped")),
        elsewhere: await refused(fileOf("queue"), other),
      };
      say(
        `  HQ refuses it cut short (${refusals.cut}), with one bit changed (${refusals.altered}), under another phone's name (${refusals.swapped}), and in another workspace (${refusals.elsewhere}). Nothing moved.`,
      );

      const first = await importInto(fileOf("queue"));
      say(
        `  Whole, it is imported: ${counted(first.events["placed"] ?? 0, "event")} got their places, ${counted(first.changes.stored, "document change")} stored.`,
      );
      const again = await importInto(fileOf("queue"));
      say(
        `  Imported once more: ${again.events["duplicate"]} events were known already, ${again.events["placed"]} got another place.`,
      );
      const placed = (await rows()).filter(({ hash }) => made.includes(hash)).length;

      const code = await enrolmentCode(dir, "S001");
      const supervisor = await startPhone({ dir: path.join(folder, "supervisor"), url: relay.url, code });
      phones.push(supervisor);
      await supervisor.ask("go-online");
      const number = await until("the store's number at HQ", () => numberOf(supervisor, store));

      await phone.ask("go-online");
      await phone.ask("drain", DRAIN, 65_000);
      const after = (await rows()).filter(({ hash }) => made.includes(hash)).length;
      say(
        "  The phone gets a signal after all: HQ knows everything already, its queue empties, and the photo follows.",
      );

      const device = await deviceOf(second);
      await operate("revoke", "--dir", dir, "--device", device);
      await second.ask("go-online");
      await until("the revocation on the phone", async () => (await linkOf(second)) === "refused");
      const late = (await second.ask("rescue", { file: fileOf("revoked") })) as Record<string, number>;
      const apart = await importInto(fileOf("revoked"));
      say(
        `Another phone is revoked with ${counted(late["events"] ?? 0, "event")} in its queue. It still writes its file; HQ imports it and keeps ${apart["events"]["quarantined"]} of them apart, out of the log.`,
      );
      await operate("revoke", "--dir", dir, "--device", device, "--undo");
      const theirs = new Set((await factsOf(second)).map(({ hash }) => hash));
      const restored = (await rows()).filter(({ hash }) => theirs.has(hash)).length;
      say(`  The revocation is taken back, and ${restored} of them get their places.`);
      await operate("log", "verify", "--dir", dir);

      const ok =
        refusals.cut === "rescue.malformed" &&
        refusals.altered === "rescue.sealed" &&
        refusals.swapped === "rescue.sealed" &&
        refusals.elsewhere === "rescue.workspace" &&
        placed === made.length &&
        after === made.length &&
        first.events["placed"] === made.length &&
        first.changes.refused.length === 0 &&
        again.events["placed"] === 0 &&
        again.events["duplicate"] === made.length &&
        number === NUMBER &&
        apart.events["quarantined"] === theirs.size &&
        restored === theirs.size;
      say(ok ? "Nothing was lost, nothing is there twice, and no false file moved anything." : "See the figures.");
      return {
        drill: "rescue",
        events: made.length,
        refusals,
        first: first.events,
        again: again.events,
        afterPhoneCame: after,
        documentStored: number === NUMBER,
        quarantined: apart.events["quarantined"],
        placedAfterUndo: restored,
        ok,
      };
    } finally {
      for (const phone of phones) await phone.kill();
      await relay.process.kill();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** The seal of one file under the name of the other's device. The names are equally long hexadecimal text in clear. */
function swapDevices(file: Buffer, from: Buffer): Buffer {
  const nameIn = (bytes: Buffer) => /device.([0-9a-f]{16})/.exec(bytes.toString("latin1"))?.[1] ?? "";
  return Buffer.from(file.toString("latin1").replace(nameIn(file), nameIn(from)), "latin1");
}

const linkOf = async (phone: PhoneProcess) => ((await phone.ask("status")) as { link: string }).link;

async function deviceOf(phone: PhoneProcess): Promise<string> {
  const ready = await phone.process.line((line) => line["event"] === "ready", 1_000);
  return String(ready["device"]);
}

async function numberOf(phone: PhoneProcess, key: string): Promise<string | null> {
  try {
    const { value } = (await phone.ask("view", { kind: "store", key })) as {
      value: { contactPhone?: Record<string, string> };
    };
    return value.contactPhone?.["shop"] === NUMBER ? NUMBER : null;
  } catch {
    return null;
  }
}
