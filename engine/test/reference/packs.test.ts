import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createMemoryStorage,
  createReference,
  eventKinds,
  heldPacks,
  judgeWith,
  openPack,
  packBytes,
  packContentHash,
  policies,
  readingRules,
  sealPack,
  type Envelope,
  type Pack,
  type PackFile,
  type PolicyContext,
} from "../../src/index.ts";
import { crypto, rootKey, rootSecretKey, samplePack } from "./sample-pack.ts";

const seal = (pack: Pack) => sealPack(pack, rootSecretKey, crypto);
const expected = (number: number) => ({ workspace: "demo", rootKey, number });
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const unknown: PolicyContext = { pack: null, store: null, visit: null, closedDays: null, attendance: null };

/** An order at the prices of the sample pack, as a phone sends it that works with this pack. */
function orderUnder(pack: number): Envelope {
  const at = "2026-11-23T07:15:14.123Z";
  return {
    v: 1,
    id: "01936a5e-0000-7000-8000-000000000001",
    kind: eventKinds.orderPlaced.name,
    workspace: "demo",
    device: "d1",
    run: "0123456789abcdef",
    seq: 1,
    prev: null,
    parent: null,
    rep: "R012",
    visit: "01936a5e-0000-7000-8000-000000000002",
    store: "S-0481",
    at,
    offset: 480,
    zone: "Asia/Kuala_Lumpur",
    clock: { tick: 1, boot: "b", anchor: null, wall: at },
    place: null,
    seen: { pack, store: [] },
    body: {
      lines: [{ sku: "910", quantity: 10, unit: "2 liter", unitPriceSen: 1_100, scheme: null }],
      totalSen: 11_000,
      creditLimitSen: null,
      deliverOn: null,
      note: "",
    },
  };
}

describe("a pack's file", () => {
  test("the same content gives the same bytes, in whatever order its fields were written", () => {
    const pack = samplePack(17);
    const turned = Object.fromEntries(Object.entries(pack).reverse()) as Pack;
    assert.equal(text(packBytes(turned)), text(packBytes(pack)));
  });

  test("the content's hash ignores number and date, and nothing else", () => {
    const hash = packContentHash(samplePack(17));
    assert.equal(packContentHash(samplePack(18, { issuedAt: "2027-01-01T00:00:00.000Z" })), hash);
    assert.notEqual(packContentHash(samplePack(17, { zone: "Asia/Kuching" })), hash);
  });

  test("a signed pack opens to what was signed", async () => {
    const file = await seal(samplePack(17));
    const opened = await openPack(file, expected(17), crypto);
    assert.ok(opened.ok);
    assert.deepEqual(opened.value, { pack: samplePack(17), sha256: file.sha256 });
  });

  test("no single changed bit of a pack is taken", async () => {
    const file = await seal(samplePack(17));
    for (let at = 0; at < file.bytes.length; at += 97) {
      const bytes = file.bytes.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      const opened = await openPack({ ...file, bytes }, expected(17), crypto);
      assert.ok(!opened.ok && opened.error.code === "pack.signature", `byte ${at}`);
    }
  });

  const cases: [string, (file: PackFile) => Promise<PackFile> | PackFile, string][] = [
    ["without a signature", (file) => ({ ...file, signature: "" }), "pack.signature"],
    ["whose signature is no hexadecimal", (file) => ({ ...file, signature: "zz".repeat(64) }), "pack.signature"],
    ["signed by another key", () => sealPack(samplePack(17), new Uint8Array(32).fill(8), crypto), "pack.signature"],
    ["of another number", () => seal(samplePack(16)), "pack.number"],
    ["of another workspace", () => seal(samplePack(17, { workspace: "other" })), "pack.number"],
  ];
  for (const [what, make, code] of cases) {
    test(`a pack ${what} is refused with ${code}`, async () => {
      const opened = await openPack(await make(await seal(samplePack(17))), expected(17), crypto);
      assert.ok(!opened.ok);
      assert.equal(opened.error.code, code);
    });
  }
});

describe("the reference on a phone", () => {
  async function phone(visitOpen = { is: false }, storage = createMemoryStorage()) {
    const open = () => createReference({ storage, crypto, workspace: "demo", rootKey, maySwap: () => !visitOpen.is });
    return { storage, visitOpen, open, reference: await open() };
  }

  test("the first pack comes into force at once and is there after a restart", async () => {
    const { reference, open } = await phone({ is: true });
    assert.equal(reference.current(), null);
    assert.ok((await reference.offer(await seal(samplePack(1)))).ok);
    assert.equal(reference.current()?.number, 1);
    assert.deepEqual((await open()).current(), samplePack(1));
  });

  test("a new pack waits until the open visit has ended, also over a restart", async () => {
    const { reference, open, visitOpen } = await phone();
    await reference.offer(await seal(samplePack(1)));
    visitOpen.is = true;
    await reference.offer(await seal(samplePack(2)));
    await reference.settle();
    assert.equal(reference.current()?.number, 1);
    const restarted = await open();
    await restarted.settle();
    assert.equal(restarted.current()?.number, 1);
    assert.equal(restarted.newest(), 2);
    visitOpen.is = false;
    await restarted.settle();
    assert.equal(restarted.current()?.number, 2);
  });

  test("whoever watches is told once for each swap", async () => {
    const { reference } = await phone();
    const seen: (number | undefined)[] = [];
    reference.onChange(() => seen.push(reference.current()?.number));
    await reference.offer(await seal(samplePack(1)));
    await reference.offer(await seal(samplePack(1)));
    await reference.offer(await seal(samplePack(2)));
    assert.deepEqual(seen, [1, 2]);
  });

  test("an old pack stays readable for the events that pin it, until twelve newer ones came", async () => {
    const { reference, open } = await phone();
    for (let number = 1; number <= heldPacks + 1; number += 1) {
      await reference.offer(await seal(samplePack(number)));
    }
    const restarted = await open();
    assert.equal(await restarted.pack(1), undefined);
    assert.deepEqual(await restarted.pack(2), samplePack(2));
    assert.equal(restarted.current()?.number, heldPacks + 1);
  });

  test("a phone with pack 17 and one with 18 agree on everything that pins 17", async () => {
    const [goods, cheaper] = [samplePack(17).goods, samplePack(18).goods.map((good) => ({ ...good, priceSen: 1 }))];
    const eighteen = samplePack(18, {
      goods: cheaper,
      rules: { conflicts: { store: { name: "keep-all" } }, consequences: {} },
    });
    const [behind, ahead] = [(await phone()).reference, (await phone()).reference];
    for (const reference of [behind, ahead]) await reference.offer(await seal(samplePack(17)));
    await ahead.offer(await seal(eighteen));
    assert.deepEqual([behind.current()?.number, ahead.current()?.number], [17, 18]);
    const [here, there] = [await behind.pack(17), await ahead.pack(17)];
    assert.ok(here !== undefined && there !== undefined);
    assert.deepEqual(there.goods, goods);
    const judged = [here, there].map((pack) => judgeWith(policies, orderUnder(17), { ...unknown, pack }));
    assert.deepEqual(judged[1], judged[0]);
    assert.equal(judged[0]?.find(({ rule }) => rule === "price-in-list")?.verdict, "pass");
    const now = judgeWith(policies, orderUnder(17), { ...unknown, pack: ahead.current() });
    assert.equal(now.find(({ rule }) => rule === "price-in-list")?.verdict, "fail", "pack 18 would say otherwise");
    assert.deepEqual(readingRules(there), readingRules(here));
  });

  test("a pack with a bad signature is refused with its code, and the one in force stays", async () => {
    const { reference, open } = await phone();
    await reference.offer(await seal(samplePack(1)));
    const forged = await reference.offer(await sealPack(samplePack(2), new Uint8Array(32).fill(8), crypto));
    assert.ok(!forged.ok && forged.error.code === "pack.signature");
    assert.equal(reference.newest(), 1);
    assert.equal((await open()).current()?.number, 1);
  });

  test("two signed packs of one number are never both taken", async () => {
    const { reference } = await phone();
    await reference.offer(await seal(samplePack(1)));
    const second = await reference.offer(await seal(samplePack(1, { zone: "Asia/Kuching" })));
    assert.ok(!second.ok && second.error.code === "pack.number");
    assert.equal(reference.current()?.zone, "Asia/Kuala_Lumpur");
  });

  test("a pack that rotted on the phone is named, does not count as held, and can be fetched again", async () => {
    const { reference, open, storage } = await phone();
    await reference.offer(await seal(samplePack(1)));
    await reference.offer(await seal(samplePack(2)));
    const entry = (await storage.range("reference/pack/")).at(-1);
    assert.ok(entry);
    const rotten = entry.value.slice();
    rotten[200] = (rotten[200] ?? 0) ^ 255;
    await storage.commit([{ key: entry.key, value: rotten }]);
    const restarted = await open();
    assert.deepEqual(restarted.damaged, [2]);
    assert.equal(restarted.newest(), 1);
    assert.equal(restarted.current()?.number, 1);
    assert.ok((await restarted.offer(await seal(samplePack(2)))).ok);
    assert.deepEqual(restarted.damaged, []);
    assert.deepEqual((await open()).current(), samplePack(2));
  });
});
