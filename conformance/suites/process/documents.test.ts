import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { startPhone, type PhoneProcess } from "../../src/phone-process.ts";
import { encodeCbor, type RawWriter } from "../../src/raw-writer.ts";
import { enrol, invitation, makeStores, pushAll, storeAll } from "../../src/relay-corpus.ts";
import { operate, startRelay, type RelayProcess } from "../../src/relay-process.ts";
import { codeIn } from "../../src/hostile-pushes.ts";
import { pushChanges, type StoreMaster } from "../../src/store-masters.ts";
import { tearDocument } from "../../src/tampering.ts";
import { until } from "../../src/until.ts";

interface View {
  readonly value: Readonly<Record<string, unknown>>;
  readonly conflicts: readonly string[];
}
interface Explanation {
  readonly value: unknown;
  readonly winner: { readonly by: string };
  readonly losers: readonly { readonly by: string; readonly value: unknown }[];
  readonly reason: { readonly en: string };
}

let folder: string;
let dir: string;
let relay: RelayProcess;
let hq: RawWriter;
let masters: StoreMaster[];
/** A rep of T1, a rep of T2, and the supervisor of both. */
let first: PhoneProcess;
let second: PhoneProcess;
let boss: PhoneProcess;

const phone = async (person: string, role: "rep" | "supervisor", territories: readonly string[]) => {
  const code = await invitation(dir, relay.url, person, role, territories);
  const started = await startPhone({ dir: path.join(folder, person), url: relay.url, code });
  await started.ask("go-online");
  return started;
};
const master = (index: number) => masters[index] as StoreMaster;
const keysOn = async (device: PhoneProcess) =>
  ((await device.ask("list", { kind: "store" })) as { key: string }[]).map(({ key }) => key);
const holds = (device: PhoneProcess, key: string) => async () => (await keysOn(device)).includes(key);
const viewOn = async (device: PhoneProcess, key: string) => (await device.ask("view", { kind: "store", key })) as View;
const write = (device: PhoneProcess, key: string, field: string, set: unknown) =>
  device.ask("edit", { kind: "store", key, edits: [{ field, set }] });
const drain = (device: PhoneProcess) => device.ask("drain", { lanes: ["documents"], timeoutMs: 20_000 });
const explain = async (device: PhoneProcess, key: string, field: string) =>
  (await device.ask("explain", { kind: "store", key, field })) as Explanation;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-documents-"));
  dir = path.join(folder, "relay");
  relay = await startRelay(dir);
  hq = await enrol(dir, relay.url, "H001", "hq", ["*"]);
  await hq.connect();
  masters = makeStores(hq, 1, 6, 2);
  await storeAll(hq, masters);
  [first, second, boss] = await Promise.all([
    phone("R001", "rep", ["T1"]),
    phone("R002", "rep", ["T2"]),
    phone("S001", "supervisor", ["T1", "T2"]),
  ]);
  for (const device of [first, boss]) {
    await until("all stores", async () => (await keysOn(device)).length === masters.length);
  }
});
after(async () => {
  hq.close();
  await Promise.all([first, second, boss].map((device) => device.quit()));
  await relay.process.stop();
  await rm(folder, { recursive: true, force: true });
});

test("D10 A store that is handed to another territory leaves one phone and reaches the other without a restart, and what was written before without a signal is kept", async () => {
  const { key } = master(0);
  await first.ask("go-offline");
  await write(first, key, "address", "12 Jalan Lama");
  await write(boss, key, "territory", "T2");
  await until("the store on the other phone", holds(second, key));
  assert.ok(await holds(first, key)(), "who has no signal has it still");
  await first.ask("go-online");
  await drain(first);
  await until("the store to leave", async () => !(await holds(first, key)()));
  await until("the edit on the other phone", async () => {
    return (await viewOn(second, key)).value["address"] === "12 Jalan Lama";
  });
  assert.deepEqual(await first.ask("needs-you"), []);
});

test("D11 A device that is revoked is told so over its open connection, writes nothing more, and does not come in again", async () => {
  const lost = await enrol(dir, relay.url, "R009", "rep", ["T1"]);
  await lost.connect();
  const topics: unknown[] = [];
  lost.onMessage((message) => topics.push(message["topic"]));
  await operate("revoke", "--device", lost.device, "--dir", dir, "--reason", "stolen");
  await until("the notice", async () => topics.includes("revoked"));
  const { doc, key } = master(1);
  assert.equal(await pushChanges(lost, { doc, key }, [master(1).forge([])]), null, "the connection is over");
  await assert.rejects(lost.connect(), /4401|4403|closed|401|403/);
});

test("D12 An edit that HQ does not take is shown to its author as his to decide, and later edits of other stores go on", async () => {
  const [gone, other] = [master(2).key, master(3).key];
  await first.ask("go-offline");
  await write(first, gone, "town", "Nilai");
  await operate("store", "bury", gone, "--dir", dir, "--reason", "closed down");
  await write(first, other, "town", "Bahau");
  await first.ask("go-online");
  await drain(first);
  const needs = (await first.ask("needs-you")) as { key: string; edit: { set: unknown }; sentence: string }[];
  assert.deepEqual(
    needs.map(({ key, edit }) => [key, edit.set]),
    [[gone, "Nilai"]],
  );
  assert.match(needs[0]?.sentence ?? "", /^HQ did not take your change of Town: .+\.$/);
  await until("the buried store to leave", async () => !(await holds(first, gone)()));
  await until("the later edit", async () => (await viewOn(boss, other)).value["town"] === "Bahau");
});

test("D13 Two who write one field and other fields without knowing of each other see one view, the same explanation, and a person's word ends it", async () => {
  const { key } = master(4);
  for (const device of [first, boss]) await device.ask("go-offline");
  await write(boss, key, "channel", "pharmacy");
  await write(first, key, "channel", "kopitiam");
  await write(boss, key, "postcode", "71800");
  await write(first, key, "address", "3 Jalan Baru");
  for (const device of [first, boss]) await device.ask("go-online");
  for (const device of [first, boss]) await drain(device);
  const both = async () => [await viewOn(first, key), await viewOn(boss, key)] as const;
  await until("both to see the conflict", async () =>
    (await both()).every(
      ({ conflicts, value }) => conflicts.includes("channel") && value["address"] === "3 Jalan Baru",
    ),
  );
  const [one, two] = await both();
  assert.deepEqual(one.value, two.value);
  assert.deepEqual([one.value["channel"], one.value["postcode"]], ["pharmacy", "71800"]);
  const [here, there] = [await explain(first, key, "channel"), await explain(boss, key, "channel")];
  assert.deepEqual(here, there);
  assert.deepEqual([here.winner.by, here.losers.map(({ by, value }) => [by, value])], ["S001", [["R001", "kopitiam"]]]);
  const told = await operate("store", "explain", key, "channel", "--dir", dir);
  assert.ok(told.includes(here.reason.en), told);
  await write(boss, key, "channel", "kopitiam");
  await until("the conflict's end", async () =>
    (await both()).every(({ conflicts, value }) => conflicts.length === 0 && value["channel"] === "kopitiam"),
  );
  assert.match(await operate("store", "conflicts", key, "--dir", dir), /Disagreements so far:\n.*Channel/);
});

test("D14 Who is at a store is told to those who may see it, by the identity that the relay knows, and to nobody else", async () => {
  const [sender, reader] = [
    await enrol(dir, relay.url, "R011", "rep", ["T1"]),
    await enrol(dir, relay.url, "R012", "rep", ["T1"]),
  ];
  const stranger = await enrol(dir, relay.url, "R013", "rep", ["T3"]);
  const heard = new Map<RawWriter, Record<string, unknown>[]>();
  for (const device of [sender, reader, stranger]) {
    await device.connect();
    heard.set(device, []);
    device.onMessage((message) => message["type"] === "present" && heard.get(device)?.push(message));
  }
  const { doc } = master(1);
  const data = encodeCbor({ here: true, by: "H001", role: "hq" });
  sender.tell({ type: "presence", doc, session: "s", count: 1, data });
  await until("the reader to hear of it", async () => (heard.get(reader)?.length ?? 0) > 0);
  const [told] = heard.get(reader) ?? [];
  assert.deepEqual([told?.["device"], told?.["by"], told?.["role"]], [sender.device, "R011", "rep"]);
  stranger.tell({ type: "presence", doc, session: "s", count: 1, data });
  sender.tell({ type: "presence", doc, session: "s", count: 2, data });
  await until("the reader to hear again", async () => (heard.get(reader)?.length ?? 0) > 1);
  assert.ok(heard.get(reader)?.every(({ device }) => device === sender.device));
  assert.deepEqual([heard.get(sender), heard.get(stranger)], [[], []]);
  for (const device of [sender, reader, stranger]) device.close();
});

test("D15 An outlet that was found without a signal gets HQ's code later, and one that was made twice points to the other", async () => {
  await first.ask("go-offline");
  for (const key of ["tmp-1", "tmp-2"]) {
    await first.ask("create", {
      kind: "store",
      key,
      edits: [
        { field: "name", set: "Kedai Ah Seng" },
        { field: "territory", set: "T1" },
      ],
    });
  }
  await first.ask("go-online");
  await drain(first);
  for (const key of ["tmp-1", "tmp-2"]) await until("the outlet at the supervisor's", holds(boss, key));
  await write(boss, "tmp-1", "hqCode", "S-9001");
  await write(boss, "tmp-2", "successor", "tmp-1");
  await until("both at the rep's", async () => (await viewOn(first, "tmp-2")).value["successor"] === "tmp-1");
  assert.equal((await viewOn(first, "tmp-1")).value["hqCode"], "S-9001");
  const { value } = await viewOn(first, "tmp-2");
  assert.equal(value["name"], "Kedai Ah Seng", "nothing of the duplicate is lost");
});

test("D16 A document that is torn in the relay's database is refused with doc.damaged, and every other is served", async () => {
  const [torn, fine] = [master(5), master(1)];
  hq.close();
  await relay.process.stop();
  tearDocument(dir, torn.doc);
  relay = await startRelay(dir, relay.port);
  await hq.connect();
  assert.equal(codeIn(await pushChanges(hq, torn, [torn.forge([])])), "doc.damaged");
  assert.equal((await pushAll(hq, fine, [fine.write([{ field: "town", value: "Rembau" }])])).length, 1);
});
