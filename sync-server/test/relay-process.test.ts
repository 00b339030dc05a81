import { encodeFrame, limits, PROTOCOL, type RelayMessage } from "@sampai/engine/wire";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { openForReading } from "../src/database/connection.ts";
import { inviteRep, newFolder, sampai, serveRelay, type RelayProcess } from "./relay-process.ts";
import { converse, enrolPhone, randomHash, type WirePhone } from "./wire-phone.ts";

let dir: string;
let relay: RelayProcess;
let phone: WirePhone;

before(async () => {
  dir = await newFolder();
  relay = await serveRelay(dir);
  phone = await enrolPhone(relay.url, await inviteRep(dir));
});
after(() => relay.end("SIGKILL"));

/** What became of each event of an append. */
function answersOf(message: RelayMessage): string[] {
  assert.equal(message.type, "appended", JSON.stringify(message));
  return message.type === "appended" ? message.answers.map(({ answer }) => answer) : [];
}

function codeOf(message: RelayMessage): string {
  assert.equal(message.type, "refused", JSON.stringify(message));
  return message.type === "refused" ? message.code : "";
}

function rows<T>(sql: string, ...values: string[]): T[] {
  const db = openForReading(dir);
  try {
    return db.prepare(sql).all(...values) as T[];
  } finally {
    db.close();
  }
}

/** Sends raw bytes over TCP and answers all that came back until the relay closed the socket. */
async function raw(bytes: string | Buffer, then: Buffer = Buffer.alloc(0)): Promise<string> {
  const { hostname, port } = new URL(relay.url);
  const socket = connect(Number(port), hostname);
  let answer = "";
  let sent = false;
  socket.on("data", (text) => {
    answer += text.toString("latin1");
    if (!sent) socket.write(then);
    sent = true;
  });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.write(bytes);
  await once(socket, "close");
  return answer;
}

const upgradeRequest = (protocols: string, query = "") =>
  `GET /v1/sync${query} HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n` +
  `${protocols === "" ? "" : `Sec-WebSocket-Protocol: ${protocols}\r\n`}\r\n`;

/** One masked websocket frame around the bytes. */
function maskedFrame(bytes: readonly number[]): Buffer {
  return Buffer.from([0x82, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]);
}

test("a batch of events is placed once, and the same batch again is a duplicate", async () => {
  const talk = await phone.connect();
  const events = phone.events(3);
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(1, events))), ["placed", "placed", "placed"]);
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(2, events))), ["duplicate", "duplicate", "duplicate"]);
  talk.socket.close();
});

test("one CBOR byte f6 from a stranger is not read: the upgrade ends with 401 and the socket is closed", async () => {
  const answer = await raw(Buffer.concat([Buffer.from(upgradeRequest(PROTOCOL)), maskedFrame([0xf6])]));
  assert.match(answer, /^HTTP\/1\.1 401 /);
  assert.match(answer, /"code":"auth\.missing"/);
  assert.doesNotMatch(answer, /101 Switching/);
});

test("what a stranger sends after a refused upgrade is thrown away", async () => {
  const answer = await raw(upgradeRequest(`${PROTOCOL}, bearer.${"x".repeat(43)}`), maskedFrame([0xf6]));
  assert.match(answer, /^HTTP\/1\.1 401 /);
  assert.match(answer, /"code":"auth\.unknown"/);
  assert.equal((await fetch(`${relay.url}/healthz`)).status, 200);
});

test("a refusal of a stranger stands in the trail, repeats without a row of their own", async () => {
  for (let times = 0; times < 5; times += 1) await raw(upgradeRequest(PROTOCOL));
  // Writes are taken in their order: once this batch is answered, every note before it is on disk.
  const talk = await phone.connect();
  await talk.ask(phone.appendMessage(1, phone.events(1)));
  talk.socket.close();
  const found = rows<{ detail: string }>("select detail from trail where topic = 'refusal'").filter(
    ({ detail }) => detail.includes("auth.missing") && detail.includes("upgrade"),
  );
  assert.equal(found.length, 1);
});

test("a ticket opens one websocket and no second one", async () => {
  const headers = { authorization: `Bearer ${phone.token}` };
  const answer = await fetch(`${relay.url}/v1/ticket`, { method: "POST", headers });
  const { ticket } = (await answer.json()) as { ticket: string };
  const address = `${relay.url.replace("http", "ws")}/v1/sync?ticket=${ticket}`;
  const first = await converse(address, [PROTOCOL]);
  assert.deepEqual(answersOf(await first.ask(phone.appendMessage(1, phone.events(1)))), ["placed"]);
  first.socket.close();
  assert.match(await raw(upgradeRequest(PROTOCOL, `?ticket=${ticket}`)), /^HTTP\/1\.1 401 /);
});

test("an enrolment code works once, and a wrong key is refused", async () => {
  const code = await inviteRep(dir, "R002");
  const ask = (publicKey: string) =>
    fetch(`${relay.url}/v1/enrol`, { method: "POST", body: JSON.stringify({ code, publicKey, platform: "test" }) });
  assert.equal((await ask("abc")).status, 400);
  await enrolPhone(relay.url, code);
  const again = await ask(randomHash());
  assert.equal(again.status, 403);
  assert.equal(((await again.json()) as { code: string }).code, "enrol.code");
});

test("a second connection of the same device takes the place of the first", async () => {
  const first = await phone.connect();
  const second = await phone.connect();
  assert.equal((await first.closed).code, 4409);
  assert.deepEqual(answersOf(await second.ask(phone.appendMessage(1, phone.events(1)))), ["placed"]);
  second.socket.close();
});

for (const [what, frame] of [
  ["one byte f6", Uint8Array.of(0xf6)],
  ["text", "hello"],
  ["half a map", Uint8Array.of(0xbf, 0x64)],
  ["an unknown message", encodeFrame({ type: "steal", n: 1 })],
  [
    "seq 0",
    encodeFrame({
      type: "append",
      n: 1,
      run: "0".repeat(16),
      events: [{ seq: 0, prev: null, bytes: Uint8Array.of() }],
      signature: Uint8Array.of(),
    }),
  ],
] as const) {
  test(`a malformed frame (${what}) is answered with its code and ends that connection alone`, async () => {
    const talk = await phone.connect();
    talk.send(frame);
    assert.equal(codeOf(await talk.next()), "frame.malformed");
    assert.equal((await talk.closed).code, 4400);
    assert.equal((await fetch(`${relay.url}/healthz`)).status, 200);
  });
}

test("a frame over the limit ends the connection with 1009 before it is decoded", async () => {
  const talk = await phone.connect();
  talk.send(new Uint8Array(limits.frameBytes + 1));
  assert.equal((await talk.closed).code, 1009);
});

test("a batch of another workspace is refused, and the connection goes on", async () => {
  const talk = await phone.connect();
  const foreign = phone.events(1, { change: (envelope) => ({ ...envelope, workspace: "w-other" }) });
  const message = { ...phone.appendMessage(1, foreign), signature: phone.signBatch(foreign, { workspace: "w-other" }) };
  assert.equal(codeOf(await talk.ask(message as never)), "batch.workspace");
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(2, phone.events(1)))), ["placed"]);
  talk.socket.close();
});

test("a forged signature and a broken chain are refused, and nothing of the batch is stored", async () => {
  const talk = await phone.connect();
  const [first, second, third] = phone.events(3);
  assert.ok(first && second && third);
  const forged = { ...phone.appendMessage(1, [first]), signature: new Uint8Array(64) };
  assert.equal(codeOf(await talk.ask(forged as never)), "batch.signature");
  assert.equal(codeOf(await talk.ask(phone.appendMessage(2, [first, third]))), "batch.chain");
  assert.equal(rows("select 1 from log where hash in (?, ?)", first.hash, third.hash).length, 0);
  talk.socket.close();
});

test("an event larger than the limit is refused, one with a bad body is placed and blocks nothing behind it", async () => {
  const talk = await phone.connect();
  const large = phone.events(1, { change: (envelope) => ({ ...envelope, body: "x".repeat(limits.eventBytes) }) });
  assert.equal(codeOf(await talk.ask(phone.appendMessage(1, large))), "batch.oversized");
  const bad = phone.events(3, {
    change: (envelope) => (envelope.seq === 2 ? { ...envelope, kind: "order.dreamt.v1", body: null } : envelope),
  });
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(2, bad))), ["placed", "placed", "placed"]);
  assert.deepEqual(
    bad.map(({ hash }) => rows<{ flags: string }>("select flags from log where hash = ?", hash)[0]?.flags),
    ["[]", '["schema"]', "[]"],
  );
  talk.socket.close();
});

test("an offline id used again with other bytes is placed and flagged for the judge", async () => {
  const talk = await phone.connect();
  const [first] = phone.events(1);
  const [second] = phone.events(1, { id: first?.id ?? "" });
  assert.ok(first && second);
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(1, [first]))), ["placed"]);
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(2, [second]))), ["placed"]);
  assert.equal(rows<{ flags: string }>("select flags from log where hash = ?", second.hash)[0]?.flags, '["id-reused"]');
  talk.socket.close();
});

test("an event whose bytes name another place than its batch is placed by the batch and flagged", async () => {
  const talk = await phone.connect();
  const [event] = phone.events(1, { change: (envelope) => ({ ...envelope, device: "somebody-else" }) });
  assert.ok(event);
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(1, [event]))), ["placed"]);
  assert.equal(rows<{ flags: string }>("select flags from log where hash = ?", event.hash)[0]?.flags, '["mismatch"]');
  talk.socket.close();
});

test("what follows a gap is held, and released in its order when the gap is filled", async () => {
  const talk = await phone.connect();
  const events = phone.events(4);
  const [first, second, third, fourth] = events;
  assert.ok(first && second && third && fourth);
  const held = await talk.ask(phone.appendMessage(1, [third, fourth]));
  assert.deepEqual(answersOf(held), ["held", "held"]);
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(2, [first, second]))), ["placed", "placed"]);
  const seqs = rows<{ seq: number }>("select seq from log where run = ? order by position", first.run);
  assert.deepEqual(
    seqs.map(({ seq }) => seq),
    [1, 2, 3, 4],
  );
  assert.equal(rows("select 1 from trail where item = ? and detail like '%\"release\"%'", fourth.id).length, 1);
  talk.socket.close();
});

test("a declared hole releases what waited behind it, and the event found later is placed as late", async () => {
  const talk = await phone.connect();
  const [first, second] = phone.events(2);
  assert.ok(first && second);
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(1, [second]))), ["held"]);
  const hole = { run: first.run, seq: first.seq, hash: first.hash };
  assert.equal((await talk.ask(phone.holeMessage(2, hole))).type, "holed");
  assert.equal((await talk.ask(phone.holeMessage(3, hole))).type, "holed");
  assert.equal(rows("select 1 from log where type = 'hole' and hash = ?", first.hash).length, 1);
  assert.equal(rows("select 1 from log where type = 'event' and hash = ?", second.hash).length, 1);
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(4, [first]))), ["placed"]);
  assert.deepEqual(
    rows("select flags from log where type = 'event' and hash = ?", first.hash),
    [{ flags: '["late"]' }].map((row) => Object.assign(Object.create(null) as object, row)),
  );
  talk.socket.close();
});

test("a claim is answered with tips and wants, and a device that lost events gets them back", async () => {
  const forgetful = await enrolPhone(relay.url, await inviteRep(dir, "R003"));
  const talk = await forgetful.connect();
  const events = forgetful.events(5);
  const [, second, , , last] = events;
  assert.ok(second && last);
  await talk.ask(forgetful.appendMessage(1, events));
  const tip = ({ run, seq, hash }: { run: string; seq: number; hash: string }) => ({ run, seq, hash });
  const whole = await talk.ask(forgetful.claimMessage(2, [tip(last)]));
  assert.ok(whole.type === "claimed");
  assert.deepEqual(whole.give, []);
  assert.deepEqual(whole.tips, [tip(last)]);
  const ahead = { run: last.run, seq: 9, hash: randomHash() };
  const further = await talk.ask(forgetful.claimMessage(3, [ahead]));
  assert.ok(further.type === "claimed");
  assert.deepEqual(further.give, [], "a phone that is ahead in the same run has all that came before");
  assert.deepEqual(further.wants, [ahead.hash]);
  const restored = await talk.ask(forgetful.claimMessage(4, [tip(second)]));
  assert.ok(restored.type === "claimed");
  assert.deepEqual(
    restored.give.map(({ item }) => item.seq),
    [3, 4, 5],
  );
  assert.deepEqual(Buffer.from(restored.give[2]?.item.bytes ?? []), Buffer.from(last.bytes));
  talk.socket.close();
});

test("a claim with a wrong signature or of another device is refused", async () => {
  const talk = await phone.connect();
  const forged = { ...phone.claimMessage(1, []), signature: new Uint8Array(64) };
  assert.equal(codeOf(await talk.ask(forged as never)), "claim.signature");
  assert.equal(codeOf(await talk.ask(phone.claimMessage(2, [], { device: "other" }))), "batch.workspace");
  assert.equal(codeOf(await talk.ask(phone.claimMessage(3, [], { v: 2 as 1 }))), "claim.malformed");
  talk.socket.close();
});

test("the same batch over HTTP is the same append", async () => {
  const events = phone.events(2);
  const send = async (body: Uint8Array, token = phone.token) =>
    fetch(`${relay.url}/v1/append`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: new Uint8Array(body),
    });
  const frame = encodeFrame(phone.appendMessage(7, events));
  assert.equal((await send(frame)).status, 200);
  const talk = await phone.connect();
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(1, events))), ["duplicate", "duplicate"]);
  talk.socket.close();
  assert.equal((await send(frame, "wrong")).status, 401);
  assert.equal((await send(Uint8Array.of(0xf6))).status, 400);
  assert.equal((await send(new Uint8Array(limits.frameBytes + 1))).status, 413);
});

test("a revoked device is told, cut off and not let in again; taking it back lets it in", async () => {
  const lost = await enrolPhone(relay.url, await inviteRep(dir, "R004"));
  const talk = await lost.connect();
  assert.equal((await sampai("revoke", "--dir", dir, "--device", lost.device, "--reason", "stolen")).status, 0);
  const notice = await talk.next();
  assert.ok(notice.type === "notice" && notice.topic === "revoked");
  assert.equal((await talk.closed).code, 4403);
  assert.match(await raw(upgradeRequest(`${PROTOCOL}, bearer.${lost.token}`)), /^HTTP\/1\.1 403 /);
  const append = await fetch(`${relay.url}/v1/append`, {
    method: "POST",
    headers: { authorization: `Bearer ${lost.token}` },
    body: new Uint8Array(encodeFrame(lost.appendMessage(1, lost.events(1)))),
  });
  assert.equal(append.status, 403);
  assert.equal((await sampai("revoke", "--dir", dir, "--device", lost.device, "--undo")).status, 0);
  const back = await lost.connect();
  assert.deepEqual(answersOf(await back.ask(lost.appendMessage(1, lost.events(1)))), ["placed"]);
  back.socket.close();
});

test("an operator's route is closed to a device's token", async () => {
  const answer = await fetch(`${relay.url}/v1/operator/enrolments`, {
    method: "POST",
    headers: { authorization: `Bearer ${phone.token}` },
    body: JSON.stringify({ person: "R001" }),
  });
  assert.equal(answer.status, 401);
});

test("a folder whose lock cannot be taken for another reason than a relay is called unusable, not locked", async () => {
  const dir = await newFolder();
  await mkdir(path.join(dir, "lock.sqlite"));
  const { status, err } = await sampai("serve", "--dir", dir);
  assert.equal(status, 2);
  assert.match(err, /^folder\.unusable: .*unable to open database file/);
});

test("a second relay on the same folder is told so, and the first one goes on", async () => {
  const second = await sampai("serve", "--dir", dir);
  assert.equal(second.status, 2);
  assert.match(second.err, /^folder\.locked: /);
  assert.equal((await fetch(`${relay.url}/healthz`)).status, 200);
});

test("what a token or code says never reaches the relay's own log", () => {
  assert.doesNotMatch(relay.log(), new RegExp(phone.token));
});

test("an event that is sent again and again is answered each time and noted ever more rarely", async () => {
  const talk = await phone.connect();
  const [event] = phone.events(1);
  assert.ok(event);
  for (let n = 1; n <= 12; n += 1) await talk.ask(phone.appendMessage(n, [event]));
  const noted = rows<{ detail: string }>(
    "select detail from trail where item = ? and topic = 'admission' order by position",
    event.id,
  );
  assert.deepEqual(
    noted.map(({ detail }) => (JSON.parse(detail) as { times?: number }).times),
    [undefined, 1, 2, 4, 8],
  );
  talk.socket.close();
});

test("a device that floods the relay with claims is told to slow down and cut off", async () => {
  const flooding = await enrolPhone(relay.url, await inviteRep(dir, "R005"));
  const talk = await flooding.connect();
  const claim = encodeFrame(flooding.claimMessage(1, []));
  for (let times = 0; times < 200; times += 1) talk.send(claim);
  assert.equal((await talk.closed).code, 4429);
  const other = await phone.connect();
  assert.deepEqual(answersOf(await other.ask(phone.appendMessage(1, phone.events(1)))), ["placed"]);
  other.socket.close();
});
