import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { exportLog } from "../../src/exported-log.ts";
import { RawWriter, type RawEvent } from "../../src/raw-writer.ts";
import { enrolmentCode, operate, startRelay, type RelayProcess } from "../../src/relay-process.ts";
import { checkConsistency } from "../../src/transparency-log.ts";
import { until } from "../../src/until.ts";

interface Report {
  readonly current: string;
  readonly lost: readonly {
    readonly term: string;
    readonly cause: string;
    readonly from: number;
    readonly until: number;
    readonly back: number;
    readonly nobody: number;
    readonly missing: readonly { readonly position: number; readonly state: string }[];
  }[];
}
interface ShownCheckpoint {
  readonly note: string;
  readonly from: { readonly term: string; readonly size: number } | null;
  readonly consistency: readonly Uint8Array[];
}

let folder: string;
let dir: string;
let copy: string;
let relay: RelayProcess;
let writer: RawWriter;
let early: RawEvent[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sampai-terms-"));
  dir = path.join(folder, "relay");
  copy = path.join(folder, "copy");
  relay = await startRelay(dir);
  writer = await enrolled("R001");
  await writer.connect();
  early = writer.makeOrders(3);
  assert.ok(await writer.append(early));
  writer.close();
});

afterEach(async () => {
  writer.close();
  await relay.process.kill();
  await rm(folder, { recursive: true, force: true });
});

const enrolled = async (person: string) =>
  RawWriter.enrol(relay.url, await enrolmentCode(dir, person, { name: `Rep ${person}`, role: "rep" }));

async function backUp(): Promise<void> {
  await relay.process.stop();
  await cp(dir, copy, { recursive: true });
  relay = await startRelay(dir, relay.port);
}

/** The copy takes the folder's place; the head file beside it stays or goes. */
async function putBack(headFile: "kept" | "lost"): Promise<void> {
  await relay.process.kill();
  await rm(dir, { recursive: true });
  if (headFile === "lost") await rm(`${dir}.head`);
  await cp(copy, dir, { recursive: true });
  relay = await startRelay(dir, relay.port);
}

const report = async () => JSON.parse(await operate("term", "list", "--dir", dir, "--json")) as Report;
const rows = () => exportLog(dir);
const checkpointOf = (claimed: Record<string, unknown>) => claimed["checkpoint"] as ShownCheckpoint | undefined;
const promised = (promise: unknown) => ({ evidence: { checkpoints: [], promises: [promise] } });

/** Claims until the relay shows a checkpoint over so many leaves. */
async function checkpointOver(size: number, more: Record<string, unknown> = {}): Promise<ShownCheckpoint> {
  return until(`a checkpoint over ${size} leaves`, async () => {
    await writer.connect(more);
    const shown = checkpointOf(writer.claimed);
    return Number(shown?.note.split("\n")[1] ?? 0) >= size && shown;
  });
}

test("L30 a relay that is shown its own promise, or checkpoint, of a longer log begins a new term in its log before it acknowledges anything more", async () => {
  await backUp();
  await writer.connect();
  const late = writer.makeOrders(4);
  assert.ok(await writer.append(late));
  const before = String(writer.claimed["term"]);
  const { promise } = writer;
  const size = (await rows()).length;
  const shown = await checkpointOver(size);
  writer.close();

  for (const more of [promised(promise), { evidence: { checkpoints: [shown.note], promises: [] } }]) {
    await putBack("lost");
    await writer.connect(more);
    const now = String(writer.claimed["term"]);
    assert.match(now, /^2:/);
    const spans = writer.claimed["terms"] as { term: string; start: number; end: number | null }[];
    assert.deepEqual(
      spans.map(({ term, end }) => [term, end === null]),
      [
        [before, false],
        [now, true],
      ],
    );
    assert.ok((await rows()).some(({ type, position }) => type === "term" && position === spans[1]?.start));
    writer.acknowledged.clear();
    assert.ok(await writer.append(late));
    const [lost] = (await report()).lost;
    assert.deepEqual([lost?.term, lost?.cause, lost?.until], [before, "claim", size]);
    await writer.connect(more);
    assert.equal(writer.claimed["term"], now, "the same evidence raises no second term");
    await operate("log", "verify", "--dir", dir);
  }
});

test("L31 a relay whose head file knows more than its log begins a new term by itself when it starts", async () => {
  await backUp();
  await writer.connect();
  assert.ok(await writer.append(writer.makeOrders(2)));
  const before = String(writer.claimed["term"]);
  await putBack("kept");
  const { current, lost } = await report();
  assert.match(current, /^2:/);
  assert.deepEqual([lost.length, lost[0]?.term, lost[0]?.cause], [1, before, "head"]);
  await relay.process.kill();
  relay = await startRelay(dir, relay.port);
  assert.equal((await report()).current, current, "a kill is no restore");
});

test("L32 the checkpoint in the answer to a claim is proved to go on from the one that the claim shows", async () => {
  const key = (await operate("log", "key", "--dir", dir)).trim();
  const first = await checkpointOver((await rows()).length);
  for (let round = 0; round < 3; round += 1) assert.ok(await writer.append(writer.makeOrders(5)));
  const size = (await rows()).length;
  const second = await checkpointOver(size, { evidence: { checkpoints: [first.note], promises: [] } });
  assert.equal(second.from?.size, Number(first.note.split("\n")[1]));
  checkConsistency(first.note, second.note, second.consistency, key);
  const [head, ...rest] = second.consistency;
  assert.throws(
    () => checkConsistency(first.note, second.note, [Buffer.alloc(32), ...rest], key),
    head === undefined ? /short/ : /proof/,
  );
});

test("L33 a device that a restored relay does not know is taken back by its certificate and its own signature, and by nobody else's", async () => {
  await backUp();
  const fresh = await enrolled("R002");
  await fresh.connect();
  assert.ok(await fresh.append(fresh.makeOrders(2)));
  fresh.close();
  await putBack("lost");
  await assert.rejects(fresh.connect(), /closed/);
  const stranger = generateKeyPairSync("ed25519").privateKey;
  assert.deepEqual(await fresh.enrolAgain(stranger), { status: 403, code: "enrol.certificate" });
  assert.equal((await fresh.enrolAgain()).status, 200);
  await fresh.connect(promised(fresh.promise));
  assert.match(String(fresh.claimed["term"]), /^2:/);
  fresh.close();
});

test("L34 a revocation survives the restore of an older copy: the head file brings it back, and a certificate does not undo it", async () => {
  await backUp();
  const fresh = await enrolled("R002");
  for (const device of [writer.device, fresh.device]) await operate("revoke", "--dir", dir, "--device", device);
  await putBack("kept");
  await assert.rejects(writer.connect(), /closed/);
  assert.deepEqual(await fresh.enrolAgain(), { status: 403, code: "auth.revoked" });
});

test("L35 what was lost is listed by position: what devices brought back, and what nobody holds", async () => {
  await backUp();
  await writer.connect();
  const late = writer.makeOrders(4);
  assert.ok(await writer.append(late));
  const lostForEver = late.at(-1) as RawEvent;
  const term = String(writer.claimed["term"]);
  const receipts = late.slice(0, -1).map(({ hash }) => [writer.acknowledged.get(hash), hash]);
  const gone = writer.acknowledged.get(lostForEver.hash);
  await putBack("kept");
  writer.acknowledged.clear();
  await writer.connect({ voided: [{ term, events: receipts }] });
  assert.ok(await writer.append(late.slice(0, -1)));
  const [lost] = (await report()).lost;
  assert.deepEqual([lost?.back, lost?.nobody], [3, lost === undefined ? 0 : lost.until - lost.from - 3]);
  assert.ok(lost?.missing.some(({ position, state }) => position === gone && state === "nobody"));
  assert.match(await operate("term", "list", "--dir", dir), new RegExp(`${gone}: nobody has named it`));
});

test("L36 evidence that this relay did not sign begins nothing, neither of a longer log nor of a term to come", async () => {
  await writer.connect();
  assert.ok(await writer.append(writer.makeOrders(1)));
  const { promise } = writer;
  const shown = await checkpointOver(1);
  const longer = { ...promise, size: 1_000_000 };
  const forged = shown.note.replace(/\n(\d+)\n/, "\n1000000\n");
  const later = { ...promise, term: `9:${"f".repeat(16)}` };
  const dated = shown.note.replace(String(writer.claimed["term"]), later.term);
  assert.notEqual(dated, shown.note);
  await writer.connect({ evidence: { checkpoints: [forged, dated, "nonsense"], promises: [longer, later] } });
  assert.match(String(writer.claimed["term"]), /^1:/);
  assert.equal((await report()).lost.length, 0);
});

test("L37 a head file of another workspace, or one that cannot be read, stops the start with a sentence", async () => {
  await relay.process.stop();
  const head = `${dir}.head`;
  const whole = await readFile(head);
  const other = path.join(folder, "other");
  await operate("enrol", "--dir", other, "--person", "R001", "--name", "Rep", "--role", "rep");
  await cp(`${other}.head`, head);
  await assert.rejects(startRelay(dir), /head\.foreign: .*another workspace/);
  await writeFile(head, Buffer.from(whole).fill(1));
  await assert.rejects(startRelay(dir), /head\.unreadable: .*cannot be read/);
  await writeFile(head, whole);
  relay = await startRelay(dir);
});
