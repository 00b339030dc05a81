import { encodeFrame, PROTOCOL, type PhoneMessage } from "@sampai/engine/wire";
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import pino from "pino";
import { WebSocketServer } from "ws";
import { DiskFull } from "../../src/database/writer.ts";
import { createConnection } from "../../src/relay/connections.ts";
import { createLoop } from "../../src/relay/loop.ts";
import type { Caller, Connection, RelayPart } from "../../src/relay/part.ts";
import { converse, randomHash } from "../wire-phone.ts";

const caller: Caller = { device: "d1", person: "R1", name: "", role: "rep", publicKey: "", territories: [] };
const hash = randomHash();
const heads = (n: number): PhoneMessage => ({ type: "heads", n, doc: "d".repeat(20), heads: [] });
const hole = (n: number): PhoneMessage => ({
  type: "hole",
  n,
  run: "0".repeat(16),
  seq: 1,
  hash,
  signature: new Uint8Array(),
});

let server: WebSocketServer;
let address: string;
let taken: string[] = [];
let release: () => void = () => undefined;

/** A part that keeps its first document message waiting until the test lets it go. */
const slow: RelayPart = {
  name: "slow",
  handles: ["heads"],
  receive: async (_connection, message) => {
    assert.ok(message.type === "heads");
    if (message.n === 1) await new Promise<void>((resolve) => (release = resolve));
    taken.push(`heads ${message.n}`);
  },
};
const quick: RelayPart = {
  name: "quick",
  handles: ["hole", "claim"],
  receive: (connection: Connection, message) => {
    assert.ok(message.type === "hole");
    if (message.n === 66) throw new Error("a bug");
    if (message.n === 67) throw new DiskFull("full");
    taken.push(`hole ${message.n}`);
    connection.send({ type: "holed", n: message.n });
  },
};

before(async () => {
  server = new WebSocketServer({ port: 0, handleProtocols: () => PROTOCOL });
  await once(server, "listening");
  address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const log = pino({ level: "silent" });
  const loop = createLoop([slow, quick], log);
  const notes = { note: () => undefined, close: () => Promise.resolve() };
  server.on("connection", (socket) => loop.serve(socket, createConnection(socket, caller, notes)));
});
after(() => server.close());

test("messages of one part are taken in order, and a slow part keeps no other one waiting", async () => {
  taken = [];
  const talk = await converse(address, [PROTOCOL]);
  talk.send(encodeFrame(heads(1)));
  talk.send(encodeFrame(heads(2)));
  assert.equal((await talk.ask(hole(3))).type, "holed");
  assert.deepEqual(taken, ["hole 3"]);
  release();
  assert.equal((await talk.ask(hole(4))).type, "holed");
  assert.deepEqual(
    taken.filter((entry) => entry.startsWith("heads")),
    ["heads 1", "heads 2"],
  );
  talk.socket.close();
});

test("what a part throws is answered with relay.busy and ends that connection alone", async () => {
  const [hit, other] = [await converse(address, [PROTOCOL]), await converse(address, [PROTOCOL])];
  const answer = await hit.ask(hole(66));
  assert.ok(answer.type === "refused" && answer.code === "relay.busy");
  assert.equal((await hit.closed).code, 1013);
  assert.equal((await other.ask(hole(5))).type, "holed");
  other.socket.close();
});

test("a full disk inside a part is answered as such", async () => {
  const talk = await converse(address, [PROTOCOL]);
  const answer = await talk.ask(hole(67));
  assert.ok(answer.type === "refused" && answer.code === "storage.full");
});

test("a message that no part takes is refused, and the connection goes on", async () => {
  const talk = await converse(address, [PROTOCOL]);
  const answer = await talk.ask({ type: "feed", n: 8, cursor: null });
  assert.ok(answer.type === "refused" && answer.code === "request.unknown");
  assert.equal((await talk.ask(hole(9))).type, "holed");
  talk.socket.close();
});
