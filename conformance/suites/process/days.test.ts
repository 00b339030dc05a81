import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { enrolByHttp } from "../../src/hq-client.ts";
import { startPhone, type PhoneProcess } from "../../src/phone-process.ts";
import { RawWriter } from "../../src/raw-writer.ts";
import { enrolmentCode, operate, startRelay, type RelayProcess } from "../../src/relay-process.ts";

const REP = "R012";
const EVENTS = 6;

interface HeldDay {
  readonly sentence: string;
  readonly certificate: { readonly number: number; readonly standing: string; readonly events: object };
}
interface DayAnswer {
  readonly state: string;
  readonly certificate: { readonly text: string; readonly signature: string } | null;
}

let folder: string;
let dir: string;
let relay: RelayProcess;
let phone: PhoneProcess;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-days-"));
  dir = path.join(folder, "relay");
  relay = await startRelay(dir);
  const code = await enrolmentCode(dir, REP, { name: "Aishah", role: "rep" });
  phone = await startPhone({ dir: path.join(folder, "phone"), url: relay.url, code });
});

after(async () => {
  await phone.kill();
  await relay.process.stop();
  await rm(folder, { recursive: true, force: true });
});

const order = {
  lines: [{ sku: "1", quantity: 3, unit: "1kg", unitPriceSen: 869, scheme: null }],
  totalSen: 2_607,
  creditLimitSen: null,
  deliverOn: null,
  note: "",
};

interface Certificate {
  readonly standing: string;
  readonly events: { readonly declared: number };
  readonly missing: readonly object[];
  readonly devices: readonly object[];
}

/** Waits until the phone is given a certificate of so many events. */
async function certificateOf(events: number, standing: string): Promise<Certificate> {
  const isIt = (certificate: Certificate) =>
    certificate.standing === standing && certificate.events.declared === events;
  const line = await phone.process.line(
    ({ event, certificate }) => event === "certificate" && isIt(certificate as Certificate),
    30_000,
  );
  return line["certificate"] as Certificate;
}

async function makeOrders(count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    await phone.ask("capture", {
      kind: "orderPlaced",
      visit: "01936a5e-0000-7000-8000-000000000002",
      store: "S-0001",
      body: order,
    });
  }
}

test("L60 a day that was closed offline is certified when the phone is heard, and the phone shows it", async () => {
  await makeOrders(EVENTS);
  await phone.ask("close-day");
  assert.equal(await phone.ask("day"), null, "nobody has certified anything yet");
  await phone.ask("go-online");
  const told = await phone.process.line((line) => line["event"] === "certificate", 30_000);
  assert.match(
    String(told["sentence"]),
    new RegExp(`^${REP}, \\d+ \\w+: complete\\. ${EVENTS} of ${EVENTS} events\\.$`),
  );
  const held = (await phone.ask("day")) as HeldDay;
  assert.deepEqual(held.certificate.events, { here: EVENTS, declared: EVENTS });
  const said = await operate("day", "--rep", REP, "--dir", dir);
  assert.equal(said.split("\n")[0], held.sentence);
});

test("L61 a day certificate is checked with the root key alone, by code that shares nothing with the relay", async () => {
  const code = await enrolmentCode(dir, "H001", { name: "Auditor", role: "hq" });
  const { token, answer } = await enrolByHttp(relay.url, code);
  const day = (await phone.ask("day")) as { certificate: { day: string } };
  const response = await fetch(`${relay.url}/v1/days/${REP}/${day.certificate.day}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { certificate } = (await response.json()) as DayAnswer;
  assert.ok(certificate);
  const x = Buffer.from(String(answer["rootKey"]), "hex").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const message = (text: string) => `sampai.day.v1\n${createHash("sha256").update(text).digest("hex")}`;
  const holds = (text: string) =>
    verify(null, Buffer.from(message(text)), key, Buffer.from(certificate.signature, "hex"));
  assert.equal(holds(certificate.text), true);
  assert.equal(holds(certificate.text.replace('"standing":"complete"', '"standing":"incomplete"')), false);
});

test("L62 a reopened day is certified again when it is closed again, also over a kill of the phone", async () => {
  await phone.ask("go-offline");
  await makeOrders(2);
  await phone.ask("close-day");
  await phone.kill();
  phone = await startPhone({ dir: path.join(folder, "phone"), url: relay.url, code: "used" });
  const before = (await phone.ask("day")) as HeldDay;
  assert.equal(before.certificate.number, 1);
  await phone.ask("go-online");
  await phone.process.line((line) => line["event"] === "certificate", 30_000);
  const held = (await phone.ask("day")) as HeldDay;
  assert.deepEqual(held.certificate.events, { here: EVENTS + 2, declared: EVENTS + 2 });
  assert.equal(held.certificate.standing, "complete");
  assert.match(await operate("day", "--rep", REP, "--dir", dir), /because the day was closed again/);
});

test("L63 a rep's day speaks for all of the rep's devices, and names the one that has more to send", async () => {
  const second = await RawWriter.enrol(relay.url, await enrolmentCode(dir, REP));
  await second.connect();
  const [first, ...later] = second.makeOrders(4);
  assert.ok(first);
  await second.append([first]);
  // Behind a gap: what is held says that something before it has not come.
  const held = await second.request(second.batch(later.slice(2)));
  const { answers } = held as { answers?: readonly { answer: string }[] };
  assert.equal(answers?.[0]?.answer, "held");
  await makeOrders(1);
  await phone.ask("close-day");
  // What the other device sent may be certified by itself before the close: the one with all events counts.
  const certificate = await certificateOf(13, "incomplete");
  assert.deepEqual(certificate.missing, [{ device: second.device, run: first.run, from: 2, to: 3 }]);
  assert.equal(certificate.devices.length, 2);
  await second.append(later.slice(0, 2));
  await certificateOf(13, "complete");
  assert.match(await operate("day", "--rep", REP, "--dir", dir), /^R012, \d+ \w+: complete\. 13 of 13 events\./);
  second.close();
});
