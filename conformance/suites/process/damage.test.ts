import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { flipBits } from "../../drills/flips.ts";
import { killRelay } from "../../drills/relay-kill.ts";
import { RawWriter } from "../../src/raw-writer.ts";
import { enrolmentCode, startRelay } from "../../src/relay-process.ts";
import { verifyFolder } from "../../src/verify-command.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-damage-"));
});
after(() => rm(folder, { recursive: true, force: true }));

test("L80 twenty random bit flips in a relay's database are each found, or change nothing of the log", async () => {
  const outcome = await flipBits(400, { times: 20, seed: 7, say: () => undefined });
  assert.ok(outcome.ok, JSON.stringify(outcome));
});

test("L81 a relay whose write-ahead log was cut short starts with whole commits, verifies, and takes the rest again", async () => {
  const dir = path.join(folder, "cut");
  let relay = await startRelay(dir);
  const writer = await RawWriter.enrol(relay.url, await enrolmentCode(dir, "R001", { name: "Rep", role: "rep" }));
  await writer.connect();
  const orders = writer.makeOrders(20);
  for (const order of orders) assert.ok(await writer.append([order]));
  await relay.process.kill();
  writer.close();
  const wal = path.join(dir, "relay.sqlite-wal");
  const { size } = await stat(wal);
  const damaged = path.join(folder, "cut-copy");
  await cp(dir, damaged, { recursive: true });
  await truncate(path.join(damaged, "relay.sqlite-wal"), Math.floor(size * 0.8));
  relay = await startRelay(damaged, relay.port);
  assert.ok((await verifyFolder(damaged)).sound);
  await writer.connect();
  const reply = await writer.request(writer.batch(orders));
  assert.ok(reply?.["type"] === "appended", JSON.stringify(reply));
  const answers = (reply["answers"] as { answer: string }[]).map(({ answer }) => answer);
  assert.ok(answers.includes("duplicate") && answers.includes("placed"), answers.join());
  writer.close();
  assert.ok((await verifyFolder(damaged)).sound);
  await relay.process.stop();
});

test("L84 what a relay acknowledged before kill -9 is there after it, once and in order, and the log verifies", async () => {
  const outcome = await killRelay(4, { times: 2, seed: 3, say: () => undefined });
  assert.ok(outcome.ok, JSON.stringify(outcome));
});

test("L82 a second relay on a folder in use ends with a sentence, and the first goes on", async () => {
  const dir = path.join(folder, "shared");
  const relay = await startRelay(dir);
  await assert.rejects(startRelay(dir), /folder\.locked: .*one relay at a time/);
  const writer = await RawWriter.enrol(relay.url, await enrolmentCode(dir, "R001", { name: "Rep", role: "rep" }));
  await writer.connect();
  assert.ok(await writer.append(writer.makeOrders(3)));
  writer.close();
  await relay.process.stop();
  assert.ok((await verifyFolder(dir)).sound);
});

test("L83 a data folder with another workspace's file ends with a sentence, and is whole again with its own", async () => {
  const [dir, other] = [path.join(folder, "own"), path.join(folder, "other")];
  for (const one of [dir, other]) await enrolmentCode(one, "R001", { name: "Rep", role: "rep" });
  const own = await readFile(path.join(dir, "workspace.json"));
  await rename(`${dir}.head`, path.join(folder, "own.head-away"));
  await cp(path.join(other, "workspace.json"), path.join(dir, "workspace.json"));
  await assert.rejects(startRelay(dir), /workspace\.foreign: .*another workspace/);
  await writeFile(path.join(dir, "workspace.json"), own);
  const relay = await startRelay(dir);
  await relay.process.stop();
  assert.ok((await verifyFolder(dir)).sound);
});

test("L85 a database that is none ends with a sentence and is left as it is, and its backup starts", async () => {
  const dir = path.join(folder, "damaged");
  await enrolmentCode(dir, "R001", { name: "Rep", role: "rep" });
  const file = path.join(dir, "relay.sqlite");
  const backup = await readFile(file);
  const damaged = Buffer.alloc(backup.length, 7);
  await writeFile(file, damaged);
  await assert.rejects(startRelay(dir), /database\.damaged: .*restore a backup/);
  assert.ok((await readFile(file)).equals(damaged));
  await writeFile(file, backup);
  const relay = await startRelay(dir);
  await relay.process.stop();
  assert.ok((await verifyFolder(dir)).sound);
});
