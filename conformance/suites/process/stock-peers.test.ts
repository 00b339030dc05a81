import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { enrolByHttp } from "../../src/hq-client.ts";
import { startPhone, type PhoneProcess } from "../../src/phone-process.ts";
import type { RawWriter } from "../../src/raw-writer.ts";
import { authorOf, enrol, invitation, makeStores, pushAll, storeAll, TERRITORY } from "../../src/relay-corpus.ts";
import { startRelay, type RelayProcess } from "../../src/relay-process.ts";
import { RawStockClient, StockClient, whole } from "../../src/stock-client.ts";
import type { StoreMaster } from "../../src/store-masters.ts";
import { until } from "../../src/until.ts";

let folder: string;
let dir: string;
let relay: RelayProcess;
let hq: RawWriter;
let masters: StoreMaster[];
let people = 0;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-stock-peers-"));
  dir = path.join(folder, "relay");
  relay = await startRelay(dir);
  hq = await enrol(dir, relay.url, "H001", "hq");
  await hq.connect();
  masters = makeStores(hq, 1, 8, 2);
  await storeAll(hq, masters);
});

after(async () => {
  hq.close();
  await relay.process.stop();
  await rm(folder, { recursive: true, force: true });
});

const codeFor = (role: "rep" | "hq" = "rep", territories: readonly string[] = [TERRITORY]) => {
  people += 1;
  return invitation(dir, relay.url, `P${people}`, role, territories);
};
const stockClient = async () => {
  const client = await StockClient.enrol(relay.url, await codeFor());
  await client.goOnline(relay.url);
  return client;
};
const tokenFor = async () => (await enrolByHttp(relay.url, await codeFor())).token;
const master = (index: number) => masters[index] as StoreMaster;
const fieldOnPhone = async (phone: PhoneProcess, key: string, field: string) =>
  ((await phone.ask("view", { kind: "store", key })) as { value: Record<string, unknown> }).value[field];

/** What the relay hands to somebody who has nothing. */
async function storedHeads(doc: string): Promise<readonly string[]> {
  const reader = await RawStockClient.connect(relay.url, await tokenFor());
  reader.sync(doc, [], []);
  const [first] = await until("the relay's answer", async () => {
    const syncs = reader.syncs(doc);
    return syncs.length > 0 && syncs;
  });
  reader.close();
  return first?.heads ?? [];
}

test("D60 An unmodified client of automerge-repo and a phone edit one store, also apart, and converge both ways", async () => {
  const { doc, key } = master(0);
  const client = await stockClient();
  const phone = await startPhone({ dir: path.join(folder, "phone"), url: relay.url, code: await codeFor() });
  try {
    await phone.ask("go-online");
    const handle = await client.find(doc);
    assert.equal(String(handle.doc()["key"]), key);
    handle.change((store) => {
      store["address"] = whole("12 Jalan Stock");
    });
    await until("the client's edit on the phone", async () => {
      const stores = (await phone.ask("list", { kind: "store" })) as { key: string }[];
      return (
        stores.some((store) => store.key === key) && (await fieldOnPhone(phone, key, "address")) === "12 Jalan Stock"
      );
    });
    client.goOffline();
    handle.change((store) => {
      store["town"] = whole("Kajang");
    });
    await phone.ask("edit", { kind: "store", key, edits: [{ field: "postcode", set: "43000" }] });
    await phone.ask("drain", { lanes: ["documents"], timeoutMs: 20_000 });
    await client.goOnline(relay.url);
    await until("the phone's edit at the client", async () => String(handle.doc()["postcode"]) === "43000");
    await until("the offline edit on the phone", async () => (await fieldOnPhone(phone, key, "town")) === "Kajang");
    const explained = JSON.stringify(await phone.ask("explain", { kind: "store", key, field: "town" }));
    assert.match(explained, /"role":"unknown"/, "who says nothing of himself is of unknown role");
  } finally {
    client.goOffline();
    await phone.quit();
  }
});

test("D61 Heads that a stock client was told of survive kill -9 of the relay", async () => {
  const { doc } = master(1);
  const client = await stockClient();
  const handle = await client.find(doc);
  for (let edit = 1; edit <= 5; edit += 1) {
    handle.change((store) => {
      store["address"] = whole(`${edit} Jalan Durable`);
    });
  }
  await until("the client to be told", async () => client.isSynced(handle));
  client.goOffline();
  await relay.process.kill();
  relay = await startRelay(dir, relay.port);
  await hq.connect();
  const other = await stockClient();
  const seen = await other.find(doc);
  assert.equal(String(seen.doc()["address"]), "5 Jalan Durable");
  assert.deepEqual([...seen.heads()].sort(), [...handle.heads()].sort());
  other.goOffline();
});

test("D62 A forbidden change that hides behind a withheld dependency is judged when that comes, and nothing behind it is stored", async () => {
  const { doc } = master(2);
  const client = await RawStockClient.connect(relay.url, await tokenFor());
  const before = await storedHeads(doc);
  const fork = master(2).fork(null);
  const seconds = Math.floor(Date.now() / 1_000);
  const forbidden = fork.write([{ field: "creditLimitSen", value: 99_000_000 }], seconds);
  const forbiddenHash = fork.head;
  const hidden = fork.write([{ field: "address", value: "1 Jalan Sorok" }], seconds);
  client.sync(doc, [fork.head], [hidden]);
  await until("the relay to ask for what is withheld", async () =>
    client.syncs(doc).some(({ need }) => need.includes(forbiddenHash)),
  );
  assert.deepEqual(await storedHeads(doc), before);
  client.sync(doc, [fork.head], [forbidden]);
  // Another document on the same connection is answered behind it, so the one before has been judged.
  client.sync(master(3).doc, [], []);
  await until("the answer behind it", async () => client.syncs(master(3).doc).length > 0);
  assert.deepEqual(await storedHeads(doc), before);
  client.close();
});

test("D63 After a refusal a stock client is not asked again, and still gets what others write", async () => {
  const client = await stockClient();
  const handle = await client.find(master(4).doc);
  handle.change((store) => {
    store["creditLimitSen"] = 99_000_000;
  });
  const other = await stockClient();
  const seen = await other.find(master(4).doc);
  for (let edit = 1; edit <= 5; edit += 1) {
    seen.change((store) => {
      store["address"] = whole(`${edit} Jalan Tenang`);
    });
    await until("the other's edit", async () => String(handle.doc()["address"]) === `${edit} Jalan Tenang`);
  }
  assert.notEqual(seen.doc()["creditLimitSen"], 99_000_000);
  assert.ok(client.sent < 40, `the refused client sent ${client.sent} messages`);
  client.goOffline();
  other.goOffline();
});

test("D64 A document outside the territory is as unavailable to a stock client as one that does not exist", async () => {
  const code = await codeFor("rep", ["T9"]);
  const { token } = await enrolByHttp(relay.url, code);
  const client = await RawStockClient.connect(relay.url, token);
  const unknown = "4NMNnkMhL8jXrdJ9jamS58PAVdXu";
  for (const doc of [master(5).doc, unknown]) client.sync(doc, [], []);
  const answers = await until("two answers", async () => {
    const found = client.received.filter(({ type }) => type !== "peer");
    return found.length >= 2 && found;
  });
  assert.deepEqual(
    answers.map(({ type }) => type),
    ["doc-unavailable", "doc-unavailable"],
  );
  client.close();
});

test("D67 A document that comes into a stock client's territory reaches it over the same connection, and one that leaves is taken back", async () => {
  const moving = master(7);
  const client = await RawStockClient.connect(
    relay.url,
    (await enrolByHttp(relay.url, await codeFor("rep", ["T8"]))).token,
  );
  const last = async (type: string) => {
    const found = client.received.findLast(({ documentId }) => documentId === moving.doc);
    return found?.["type"] === type;
  };
  client.sync(moving.doc, [], []);
  await until("the answer that it is not there", () => last("doc-unavailable"));
  await pushAll(hq, moving, [moving.write([{ field: "territory", value: "T8" }])]);
  await until("the document", () => last("sync"));
  const [first] = client.syncs(moving.doc);
  assert.deepEqual(first?.heads, [moving.head]);
  assert.equal(first?.changes.length, moving.changes.length);
  await pushAll(hq, moving, [moving.write([{ field: "territory", value: TERRITORY }])]);
  await until("the answer that it is gone", () => last("doc-unavailable"));
  client.close();
});

test("D65 A stock client uses no actor of another device, and signs for nobody else", async () => {
  const { doc } = master(6);
  const before = await storedHeads(doc);
  const client = await RawStockClient.connect(relay.url, await tokenFor());
  const asHq = master(6).fork({ ...authorOf(hq), role: "hq" });
  const forged = asHq.write([{ field: "creditLimitSen", value: 1 }]);
  client.sync(doc, [asHq.head], [forged]);
  const borrowed = master(6).fork({ ...authorOf(hq), role: "hq" });
  const nameless = borrowed.write([{ field: "address", value: "1 Jalan Pinjam" }], Math.floor(Date.now() / 1_000), "");
  client.sync(doc, [borrowed.head], [nameless]);
  client.sync(master(3).doc, [], []);
  await until("the answer behind them", async () => client.syncs(master(3).doc).length > 0);
  assert.deepEqual(await storedHeads(doc), before);
  client.close();
});

test("D66 Hostile frames of the stock protocol end their own connection and nothing else", async () => {
  const { doc } = master(7);
  const { pid } = relay.process;
  const sync = (data: Uint8Array) => ({ type: "sync", senderId: "raw", targetId: "x", documentId: doc, data });
  const many = Uint8Array.of(0x42, 0xff, 0xff, 0xff, 0x7f);
  const frames: readonly ((client: RawStockClient) => void)[] = [
    (client) => client.sendBytes(Uint8Array.of(0xf6)),
    (client) => client.sendBytes(Uint8Array.of(0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
    (client) => client.sendBytes("text"),
    (client) => client.send({ type: "join", senderId: 7 }),
    (client) => client.send({ type: "join", senderId: "another", supportedProtocolVersions: ["1"] }),
    (client) => client.send({ type: "join", senderId: "raw", supportedProtocolVersions: ["9"] }),
    (client) => client.send(sync(many)),
    (client) => client.send(sync(Uint8Array.of(0x43, 0, 0, 0, 0))),
    (client) => client.send(sync(new Uint8Array(0))),
    (client) => client.sync(doc, [], [Uint8Array.of(1, 2, 3)]),
  ];
  for (const [index, hostile] of frames.entries()) {
    const client = await RawStockClient.connect(relay.url, await tokenFor());
    hostile(client);
    // Broken change bytes are a refusal that leaves the connection; all else ends it.
    if (index === frames.length - 1) client.sync(doc, [], []);
    await until(`an end for hostile frame ${index}`, async () =>
      index === frames.length - 1 ? client.syncs(doc).length > 0 : client.closedWith !== null,
    );
    client.close();
  }
  const early = await RawStockClient.connect(relay.url, await tokenFor(), false);
  early.sync(doc, [], []);
  early.send({ type: "join", senderId: "raw", supportedProtocolVersions: ["1"] });
  await until("the join", async () => early.received.length > 0);
  assert.deepEqual(
    early.received.map(({ type }) => type),
    ["peer"],
    "what comes before the join is not answered",
  );
  early.close();
  const client = await stockClient();
  await client.find(doc);
  client.goOffline();
  assert.equal(relay.process.pid, pid);
});
