import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RawAnswer, RawWriter } from "../../src/raw-writer.ts";
import { openTarget, type Target } from "../../src/target.ts";

let target: Target;
before(async () => {
  target = await openTarget();
});
after(() => target.close());

const answersOf = (reply: Record<string, unknown> | null): RawAnswer[] => {
  assert.equal(reply?.["type"], "appended");
  return reply?.["answers"] as RawAnswer[];
};

async function connected(): Promise<RawWriter> {
  const writer = await target.writer();
  await writer.connect();
  return writer;
}

test("L1 every event of a batch gets a position of its own, in the order of the run", async () => {
  const writer = await connected();
  const answers = answersOf(await writer.request(writer.batch(writer.makeOrders(5))));
  assert.deepEqual(
    answers.map(({ answer }) => answer),
    Array.from({ length: 5 }, () => "placed"),
  );
  const positions = answers.map(({ position }) => position as number);
  assert.deepEqual(
    positions,
    [...positions].sort((a, b) => a - b),
  );
  assert.equal(new Set(positions).size, 5);
  writer.close();
});

test("L2 the same event again is a duplicate with the position it has, over either transport", async () => {
  const writer = await connected();
  const batch = writer.batch(writer.makeOrders(3));
  const first = answersOf(await writer.request(batch)).map(({ position }) => position);
  const again = answersOf(await writer.request(batch));
  const byHttp = answersOf((await writer.post(batch)).body);
  for (const answers of [again, byHttp]) {
    assert.deepEqual(
      answers.map(({ answer, position }) => [answer, position]),
      first.map((position) => ["duplicate", position]),
    );
  }
  writer.close();
});

test("L3 an event whose predecessor is missing is held and not acknowledged, and placed when the gap is filled", async () => {
  const writer = await connected();
  const [first, second, third] = writer.makeOrders(3);
  assert.ok(first && second && third);
  const held = answersOf(await writer.request(writer.batch([third])))[0];
  assert.deepEqual([held?.answer, held?.position], ["held", undefined]);
  answersOf(await writer.request(writer.batch([first, second])));
  const placed = answersOf(await writer.request(writer.batch([first, second, third])));
  assert.deepEqual(
    placed.map(({ answer }) => answer),
    ["duplicate", "duplicate", "duplicate"],
  );
  const positions = placed.map(({ position }) => position as number);
  assert.ok((positions[0] as number) < (positions[1] as number) && (positions[1] as number) < (positions[2] as number));
  writer.close();
});

test("L4 a batch with a forged signature is refused with its code, and the next one is taken", async () => {
  const writer = await connected();
  const orders = writer.makeOrders(2);
  const forged = { ...writer.batch(orders), signature: new Uint8Array(64).fill(1) };
  const refused = await writer.request(forged);
  assert.deepEqual([refused?.["type"], refused?.["code"]], ["refused", "batch.signature"]);
  assert.equal(answersOf(await writer.request(writer.batch(orders))).length, 2);
  writer.close();
});

test("L5 events that are not one chain are refused with their code", async () => {
  const writer = await connected();
  const [first, second, third] = writer.makeOrders(3);
  assert.ok(first && second && third);
  const refused = await writer.request(writer.batch([first, third]));
  assert.deepEqual([refused?.["type"], refused?.["code"]], ["refused", "batch.chain"]);
  writer.close();
});

test("L6 an event with a bad body, an unknown kind or unreadable bytes is placed and never blocks the next", async () => {
  const writer = await connected();
  const events = [
    writer.makeEvent({ body: { lines: "none" } }),
    writer.makeEvent({ kind: "order.dreamt.v9", body: null }),
    writer.makeEvent({ raw: new TextEncoder().encode('{"v":1,"v":2}') }),
    writer.makeEvent({ raw: Uint8Array.of(0xff, 0xfe, 0x00) }),
    writer.makeEvent({}),
  ];
  const answers = answersOf(await writer.request(writer.batch(events)));
  assert.deepEqual(
    answers.map(({ answer }) => answer),
    Array.from({ length: 5 }, () => "placed"),
  );
  writer.close();
});

test("L7 one batch over two transports at once gets one position for each event", async () => {
  const writer = await connected();
  const batch = writer.batch(writer.makeOrders(20));
  const [left, right] = await Promise.all([writer.request(batch), writer.post(batch)]);
  assert.deepEqual(
    answersOf(left).map(({ position }) => position),
    answersOf(right.body).map(({ position }) => position),
  );
  writer.close();
});

test("L8 a second event at the same place of a run is kept as a branch, with a position of its own", async () => {
  const writer = await connected();
  const [first] = writer.makeOrders(1);
  assert.ok(first);
  answersOf(await writer.request(writer.batch([first])));
  const other = { ...writer.makeEvent({}), seq: 1, prev: null };
  const branch = answersOf(await writer.request(writer.batch([other])))[0];
  assert.equal(branch?.answer, "branch");
  assert.equal(typeof branch?.position, "number");
  writer.close();
});

test("L9 a gap that the device declares it cannot fill is closed, and what came later fills it late", async () => {
  const writer = await connected();
  const [first, lost, third] = writer.makeOrders(3);
  assert.ok(first && lost && third);
  answersOf(await writer.request(writer.batch([first])));
  assert.equal(answersOf(await writer.request(writer.batch([third])))[0]?.answer, "held");
  const holed = await writer.request(writer.hole(lost));
  assert.equal(holed?.["type"], "holed");
  const released = answersOf(await writer.request(writer.batch([third])))[0];
  assert.equal(released?.answer, "duplicate");
  assert.equal(answersOf(await writer.request(writer.batch([lost])))[0]?.answer, "placed");
  writer.close();
});

test("L10 a claim is answered with the device's tips, and with what the relay lacks", async () => {
  const writer = await connected();
  const orders = writer.makeOrders(4);
  await writer.append(orders.slice(0, 2));
  writer.close();
  await writer.connect();
  const { claimed } = writer;
  assert.deepEqual(
    (claimed["tips"] as { hash: string }[]).map(({ hash }) => hash),
    [orders[1]?.hash],
  );
  assert.deepEqual(claimed["wants"], [orders[3]?.hash]);
  writer.close();
});

test("L11 a new run goes on from the last event of the run before", async () => {
  const writer = await connected();
  await writer.append(writer.makeOrders(2));
  writer.startRun();
  const answers = answersOf(await writer.request(writer.batch(writer.makeOrders(2))));
  assert.deepEqual(
    answers.map(({ answer }) => answer),
    ["placed", "placed"],
  );
  writer.close();
});

test("L12 events that another device made and signed are refused with their code", async () => {
  const writer = await connected();
  const stranger = await connected();
  const refused = await writer.request(stranger.batch(stranger.makeOrders(1)));
  assert.equal(refused?.["type"], "refused");
  assert.ok(["batch.workspace", "batch.signature"].includes(refused?.["code"] as string));
  writer.close();
  stranger.close();
});

for (const [what, change] of [
  ["seq 0", { seq: 0 }],
  ["seq 2^53", { seq: 2 ** 53 }],
  ["a negative seq", { seq: -1 }],
  ["half a seq", { seq: 1.5 }],
] as const) {
  test(`L13 a batch with ${what} is refused with its code, and the relay goes on`, async () => {
    const writer = await connected();
    const [order] = writer.makeOrders(1);
    assert.ok(order);
    const batch = writer.batch([{ ...order, ...change }]);
    const answer = await writer.post(batch);
    assert.equal(answer.status, 400);
    assert.match(String(answer.body["code"]), /^(frame\.malformed|batch\.chain)$/);
    assert.equal(answersOf(await writer.request(writer.batch([order])))[0]?.answer, "placed");
    writer.close();
  });
}

test("L14 a body of ten megabytes is refused with its code before it is read, and the relay goes on", async () => {
  const writer = await connected();
  const { status, body } = await writer.announce(10 * 1_048_576);
  assert.deepEqual([status, body["code"]], [413, "frame.oversized"]);
  const other = await connected();
  assert.ok(await other.append(other.makeOrders(1)));
  writer.close();
  other.close();
});

test("L15 an event of another workspace is placed by its signature and flagged, and one signed for another is refused", async () => {
  const writer = await connected();
  const foreign = writer.makeEvent({ workspace: "w-000000000000" });
  assert.equal(answersOf(await writer.request(writer.batch([foreign])))[0]?.answer, "placed");
  const order = writer.makeEvent({});
  const refused = await writer.request(writer.batch([order], { workspace: "w-000000000000" }));
  assert.equal(refused?.["type"], "refused");
  assert.ok(["batch.workspace", "batch.signature"].includes(refused?.["code"] as string));
  assert.equal(answersOf(await writer.request(writer.batch([order])))[0]?.answer, "placed");
  writer.close();
});

test("L16 batches that come again in another order get the positions that they have", async () => {
  const writer = await connected();
  const batches = [writer.batch(writer.makeOrders(2)), writer.batch(writer.makeOrders(2))];
  const positions: (number | undefined)[][] = [];
  for (const batch of batches) positions.push(answersOf(await writer.request(batch)).map(({ position }) => position));
  for (const index of [1, 0, 1]) {
    const again = answersOf(await writer.request(batches[index] as Record<string, unknown>));
    assert.deepEqual(
      again.map(({ answer, position }) => [answer, position]),
      positions[index]?.map((position) => ["duplicate", position]),
    );
  }
  writer.close();
});
