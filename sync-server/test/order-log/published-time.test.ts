import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { PublishedTime } from "../../src/order-log/run-times.ts";
import { startRepPhone, type RepPhone } from "../day/rep-phone.ts";
import { newFolder, sampai, serveRelay, type RelayProcess } from "../relay-process.ts";

let dir: string;
let relay: RelayProcess;
let phone: RepPhone;

before(async () => {
  dir = await newFolder();
  relay = await serveRelay(dir);
  phone = await startRepPhone(relay.url, dir, "R001");
});
after(() => relay.end("SIGTERM"));

const timeOf = async (id: string, token: string) =>
  fetch(`${relay.url}/v1/events/${id}/time`, { headers: { authorization: `Bearer ${token}` } });

test("the relay publishes between which moments an event happened, and never writes over what the phone said", async () => {
  const wrong = "2031-05-01T00:00:00.000Z";
  const [event] = phone.capture(1, (envelope) => ({
    ...envelope,
    at: wrong,
    clock: { ...envelope.clock, wall: wrong },
  }));
  assert.ok(event);
  await phone.send(event);
  const answer = await timeOf(event.id, phone.wire.token);
  const { time, received } = (await answer.json()) as { time: PublishedTime; received: string };
  assert.equal(time.latest, received);
  assert.equal(time.evidence, "wall");
  assert.ok(time.earliest !== null && time.earliest <= time.best && time.best <= received);
  const { out } = await sampai("log", "export", "--dir", dir);
  const rows = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { hash: string; time?: PublishedTime; event?: { at: string } });
  const row = rows.find(({ hash }) => hash === event.hash);
  assert.deepEqual(row?.time, time);
  assert.equal(row?.event?.at, wrong);
});

test("a rep is not told the times of another device's events", async () => {
  const other = await startRepPhone(relay.url, dir, "R002");
  const [event] = other.capture(1);
  assert.ok(event);
  await other.send(event);
  assert.equal((await timeOf(event.id, other.wire.token)).status, 200);
  assert.equal((await timeOf(event.id, phone.wire.token)).status, 404);
  assert.equal((await timeOf("nothing", phone.wire.token)).status, 404);
});
