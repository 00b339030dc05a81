import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { deflateRawSync } from "node:zlib";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { encodeCbor, foldingWords } from "../../src/raw-writer.ts";
import { openTarget, type Target } from "../../src/target.ts";

let target: Target;
before(async () => {
  target = await openTarget();
});
after(() => target.close());

/** Opens a websocket with these subprotocols and answers the status of the refusal. */
async function refusedWith(protocols: string[]): Promise<number> {
  const socket = new WebSocket(`${target.url.replace(/^http/, "ws")}/v1/sync`, protocols);
  socket.on("error", () => {
    // The refusal is told by `unexpected-response`.
  });
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number }];
  socket.terminate();
  return response.statusCode;
}

test("W1 no token and an unknown token are refused in the upgrade", async () => {
  assert.equal(await refusedWith(["sampai.v1"]), 401);
  assert.equal(await refusedWith(["sampai.v1", "bearer.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]), 401);
});

test("W2 one byte f6 that a stranger sends behind a refused upgrade is not read: the connection is over", async () => {
  const { hostname, port } = new URL(target.url);
  const socket = net.connect(Number(port), hostname);
  socket.on("error", () => {
    // A reset is one of the ways in which a refused connection ends.
  });
  const upgrade = [
    "GET /v1/sync HTTP/1.1",
    `Host: ${hostname}:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol: sampai.v1",
    "",
    "",
  ].join("\r\n");
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk.toString();
  });
  socket.write(Buffer.concat([Buffer.from(upgrade), Buffer.from([0x82, 0x81, 0, 0, 0, 0, 0xf6])]));
  await once(socket, "close");
  assert.match(received, /^HTTP\/1\.1 401 /);
  assert.equal((await fetch(`${target.url}/healthz`)).status, 200);
});

for (const [what, frame] of [
  ["CBOR null", Uint8Array.of(0xf6)],
  ["a CBOR number", Uint8Array.of(0x01)],
  ["bytes that are no CBOR", Uint8Array.of(0xff, 0xff, 0x00)],
  ["a text frame", "x"],
  ["a map without a type", Uint8Array.of(0xa0)],
  ["a thousand nested arrays", new Uint8Array(1_000).fill(0x81)],
] as const) {
  test(`W3 ${what} from an enrolled device is refused with a code, and the relay goes on`, async () => {
    const writer = await target.writer();
    await writer.connect();
    const { message, closed } = await writer.sendRaw(frame);
    if (message === undefined) assert.ok(closed === 4400 || closed === 1003 || closed === 1007);
    else assert.deepEqual([message["type"], message["code"]], ["refused", "frame.malformed"]);
    writer.close();
    await writer.connect();
    assert.ok(await writer.append(writer.makeOrders(1)));
    writer.close();
  });
}

test("W4 a frame above the limit closes its connection with 1009 and no other", async () => {
  const [large, other] = [await target.writer(), await target.writer()];
  await large.connect();
  await other.connect();
  const { closed } = await large.sendRaw(new Uint8Array(1_048_577 + 1_024));
  assert.equal(closed, 1009);
  assert.ok(await other.append(other.makeOrders(1)));
  other.close();
});

test("W5 an unknown address is answered with a problem and its code", async () => {
  const answer = await fetch(`${target.url}/v1/nowhere`);
  assert.equal(answer.status, 404);
  assert.match(answer.headers.get("content-type") ?? "", /application\/problem\+json/);
  assert.equal(((await answer.json()) as { code: string }).code, "request.unknown");
});

test("W6 a folded batch is read like a plain one, and a folded bomb is refused while the relay goes on", async () => {
  const writer = await target.writer();
  await writer.connect();
  const plain = encodeCbor({ ...writer.batch(writer.makeOrders(20)), n: 99 });
  const deflated = new Uint8Array(deflateRawSync(plain));
  assert.ok(deflated.length * 3 < plain.length);
  const { message } = await writer.sendRaw(encodeCbor({ deflated, length: plain.length }));
  assert.equal(message?.["type"], "appended");
  const more = encodeCbor({ ...writer.batch(writer.makeOrders(20)), n: 100 });
  const worded = new Uint8Array(deflateRawSync(more, { dictionary: foldingWords(1) }));
  assert.ok(worded.length < new Uint8Array(deflateRawSync(more)).length);
  const answer = await writer.sendRaw(encodeCbor({ deflated: worded, length: more.length, words: 1 }));
  assert.equal(answer.message?.["type"], "appended");
  const bomb = new Uint8Array(deflateRawSync(new Uint8Array(64 * 1_024 * 1_024)));
  const refused = await writer.sendRaw(encodeCbor({ deflated: bomb, length: 1_000 }));
  assert.ok(refused.closed !== undefined || refused.message?.["code"] === "frame.oversized");
  writer.close();
  await writer.connect();
  assert.ok(await writer.append(writer.makeOrders(1)));
  writer.close();
});
