import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createMemoryStorage,
  createPackSync,
  createReference,
  sealPack,
  packDelta,
  type Clock,
  type HttpAnswer,
  type HttpRequest,
  type PackError,
  type Wire,
  type WireAnswers,
} from "../../src/index.ts";
import { crypto, rootKey, rootSecretKey, samplePack } from "./sample-pack.ts";

const wire = {} as Wire;
const claimed = (pack: number | null): WireAnswers["claim"] => ({
  type: "claimed",
  n: 1,
  term: "1:a",
  at: "2026-11-23T00:00:00.000Z",
  tips: [],
  wants: [],
  holes: [],
  give: [],
  head: 0,
  pack,
});
const none: HttpAnswer = { status: 0, headers: {}, body: new Uint8Array() };

/** A phone whose relay answers from a list; when the list is empty it does not answer at all. */
async function phone(answers: HttpAnswer[]) {
  const asked: string[] = [];
  const headers: HttpRequest["headers"][] = [];
  const waits: { delayMs: number; run: () => void }[] = [];
  const refused: (PackError & { number: number })[] = [];
  const clock: Clock = {
    wallMs: () => 0,
    tickMs: () => 0,
    boot: "b",
    after: (delayMs, run) => {
      const wait = { delayMs, run };
      waits.push(wait);
      return () => waits.splice(0, waits.length, ...waits.filter((other) => other !== wait));
    },
  };
  const reference = await createReference({
    storage: createMemoryStorage(),
    crypto,
    workspace: "demo",
    rootKey,
    maySwap: () => true,
  });
  const part = createPackSync({
    reference,
    clock,
    http: {
      request: (request) => {
        asked.push(request.path);
        headers.push(request.headers);
        return Promise.resolve(answers.shift() ?? none);
      },
    },
    lanes: { waiting: () => {}, enter: () => Promise.resolve(() => {}), mustYield: () => false },
    onRefused: (refusal) => refused.push(refusal),
  });
  return { part, reference, asked, headers, waits, refused };
}

async function answer(number: number, change: Partial<HttpAnswer> = {}): Promise<HttpAnswer> {
  const file = await sealPack(samplePack(number), rootSecretKey, crypto);
  const headers = { etag: `"${file.sha256}"`, "sampai-signature": file.signature };
  return { status: 200, headers, body: file.bytes, ...change };
}

/** Lets promises run until the condition holds; fails the test when nothing more happens. */
async function until(condition: () => boolean) {
  for (let turn = 0; turn < 1_000 && !condition(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(condition());
}

test("the pack that the relay names on contact is fetched and comes into force", async () => {
  const { part, reference, asked } = await phone([await answer(3)]);
  part.connected(wire, claimed(3));
  await until(() => reference.current()?.number === 3);
  assert.deepEqual(asked, ["/v1/packs/3"]);
});

test("a pack that is here already is not fetched again", async () => {
  const { part, reference, asked } = await phone([await answer(3)]);
  part.connected(wire, claimed(3));
  await until(() => reference.current()?.number === 3);
  part.lost();
  part.connected(wire, claimed(3));
  part.receive({ type: "pack", number: 2, sha256: "0".repeat(64) });
  assert.equal(asked.length, 1);
});

test("a pack announced while connected is fetched", async () => {
  const { part, reference } = await phone([await answer(4)]);
  part.connected(wire, claimed(null));
  part.receive({ type: "pack", number: 4, sha256: "0".repeat(64) });
  await until(() => reference.current()?.number === 4);
});

test("a lost download is tried again with a growing delay, and not after the connection ended", async () => {
  const { part, reference, asked, waits } = await phone([none, none, await answer(5)]);
  part.connected(wire, claimed(5));
  await until(() => waits.length === 1);
  const first = waits.shift();
  first?.run();
  await until(() => waits.length === 1);
  assert.ok((waits[0]?.delayMs ?? 0) > (first?.delayMs ?? 0));
  part.lost();
  assert.deepEqual(waits, []);
  part.connected(wire, claimed(5));
  await until(() => reference.current()?.number === 5);
  assert.equal(asked.length, 3);
});

test("a body that was cut on the way is a lost download, not a forged pack", async () => {
  const whole = await answer(6);
  const { part, reference, waits, refused } = await phone([{ ...whole, body: whole.body.subarray(0, 100) }, whole]);
  part.connected(wire, claimed(6));
  await until(() => waits.length === 1);
  assert.deepEqual(refused, []);
  waits.shift()?.run();
  await until(() => reference.current()?.number === 6);
});

test("a forged pack is told once with its code and not asked for in a loop", async () => {
  const forged = await sealPack(samplePack(7), new Uint8Array(32).fill(8), crypto);
  const { part, reference, asked, waits, refused } = await phone([
    {
      status: 200,
      headers: { etag: `"${forged.sha256}"`, "sampai-signature": forged.signature },
      body: forged.bytes,
    },
  ]);
  part.connected(wire, claimed(7));
  await until(() => refused.length === 1);
  assert.equal(refused[0]?.code, "pack.signature");
  assert.equal(refused[0]?.number, 7);
  assert.equal(reference.current(), null);
  assert.deepEqual([asked.length, waits.length], [1, 0]);
});

test("a newer pack named during a download is fetched after it", async () => {
  const { part, reference, asked } = await phone([await answer(8), await answer(9)]);
  part.connected(wire, claimed(8));
  part.receive({ type: "pack", number: 9, sha256: "0".repeat(64) });
  await until(() => reference.current()?.number === 9);
  assert.deepEqual(asked, ["/v1/packs/8", "/v1/packs/9"]);
});

/** The next pack as what differs from the one before. */
async function deltaAnswer(number: number, change: Partial<HttpAnswer> = {}): Promise<HttpAnswer> {
  const [base, target] = [await answer(number - 1), await answer(number)];
  return { ...target, status: 226, body: packDelta(base.body, target.body), ...change };
}

test("a phone with pack 17 says so, and makes pack 18 of what differs", async () => {
  const [whole, delta] = [await answer(17), await deltaAnswer(18)];
  const { part, reference, asked, headers } = await phone([whole, delta]);
  part.connected(wire, claimed(17));
  await until(() => reference.current()?.number === 17);
  part.receive({ type: "pack", number: 18, sha256: "0".repeat(64) });
  await until(() => reference.current()?.number === 18);
  assert.deepEqual(asked, ["/v1/packs/17", "/v1/packs/18"]);
  assert.deepEqual(headers, [{}, { "if-none-match": whole.headers["etag"], "a-im": "fossil-delta" }]);
  assert.deepEqual(reference.current(), samplePack(18));
  assert.deepEqual(await reference.pack(17), samplePack(17));
});

for (const [what, change] of [
  ["that cannot be read", { body: new Uint8Array(30).fill(126) }],
  ["that makes other bytes", { headers: { etag: `"${"0".repeat(64)}"` } }],
] as const) {
  test(`a delta ${what} is dropped and the whole pack fetched at once`, async () => {
    const { part, reference, asked, waits, refused } = await phone([
      await answer(17),
      await deltaAnswer(18, change),
      await answer(18),
    ]);
    part.connected(wire, claimed(17));
    part.receive({ type: "pack", number: 18, sha256: "0".repeat(64) });
    await until(() => reference.current()?.number === 18);
    assert.deepEqual(asked, ["/v1/packs/17", "/v1/packs/18", "/v1/packs/18"]);
    assert.deepEqual([waits, refused], [[], []]);
  });
}

test("a pack that came as a delta and was not signed by the root key is refused like a whole one", async () => {
  const base = await answer(17);
  const forged = await sealPack(samplePack(18), new Uint8Array(32).fill(8), crypto);
  const { part, reference, asked, refused } = await phone([
    base,
    {
      status: 226,
      headers: { etag: `"${forged.sha256}"`, "sampai-signature": forged.signature },
      body: packDelta(base.body, forged.bytes),
    },
  ]);
  part.connected(wire, claimed(17));
  part.receive({ type: "pack", number: 18, sha256: "0".repeat(64) });
  await until(() => refused.length === 1);
  assert.equal(refused[0]?.code, "pack.signature");
  assert.equal(reference.current()?.number, 17);
  assert.equal(asked.length, 2);
});
