import * as A from "@automerge/automerge/slim";
import { authorMessage, concatBytes, documentId, originOf, sha256Hex, utf8ToBytes } from "@sampai/engine";
import { startAutomerge } from "@sampai/engine/adapters/automerge";
import { encodeFrame, type PhoneMessage, type RelayMessage } from "@sampai/engine/wire";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { inviteRep, newFolder, serveRelay, type RelayProcess } from "../relay-process.ts";
import { enrolPhone, type Conversation, type WirePhone } from "../wire-phone.ts";
import { changeChunk } from "./forged-changes.ts";

await startAutomerge();

let dir: string;
let relay: RelayProcess;
let phone: WirePhone;
let n = 0;

before(async () => {
  dir = await newFolder();
  relay = await serveRelay(dir);
  phone = await enrolPhone(relay.url, await inviteRep(dir));
});
after(() => relay.end("SIGKILL"));

const KILLS = 4;

/** A store made on this phone, and its next edits. */
class Outlet {
  readonly key: string;
  readonly doc: string;
  private replica: A.Doc<Record<string, unknown>>;
  readonly origin: Uint8Array;

  constructor(key: string) {
    this.key = key;
    this.doc = documentId(phone.workspace, "store", key);
    const { changes } = originOf(phone.workspace, "store", key);
    this.origin = concatBytes(...changes);
    const actor = sha256Hex(utf8ToBytes(phone.device)).slice(0, 16) + randomBytes(8).toString("hex");
    this.replica = A.applyChanges(A.init<Record<string, unknown>>({ actor }), [...changes])[0];
  }

  edit(field: string, value: string): Uint8Array {
    const message = authorMessage({ by: "R001", role: "rep", device: phone.device });
    this.replica = A.change(this.replica, { time: Date.now(), message }, (root) => {
      root[field] = new A.ImmutableString(value);
    });
    return A.getLastLocalChange(this.replica) as Uint8Array;
  }

  push(bytes: Uint8Array): PhoneMessage {
    n += 1;
    return { type: "push", n, doc: this.doc, kind: "store", key: this.key, piece: bytes, more: false };
  }
}

function storedOf(message: RelayMessage): number {
  assert.equal(message.type, "pushed", JSON.stringify(message));
  return message.type === "pushed" ? message.stored.length : 0;
}

test("a phone's documents are stored through a real socket, and hostile pushes leave the relay serving others", async () => {
  const talk = await phone.connect();
  const outlet = new Outlet("tmp-1");
  assert.equal(storedOf(await talk.ask(outlet.push(concatBytes(outlet.origin, outlet.edit("name", "Kedai"))))), 3);
  const bombed = await talk.ask(outlet.push(changeChunk({ operations: 400_000 })));
  assert.ok(bombed.type === "pushed" && bombed.refused[0]?.code === "change.operations");
  const garbage = await talk.ask(outlet.push(randomBytes(500)));
  assert.ok(garbage.type === "refused" && garbage.code === "change.malformed");
  const oversized = await talk.ask(outlet.push(new Uint8Array(8_193)));
  assert.ok(oversized.type === "refused" && oversized.code === "change.oversized");
  const other = await enrolPhone(relay.url, await inviteRep(dir, "R002"));
  const deep = new Uint8Array(20_000).fill(0x81);
  const hostile = await other.connect();
  hostile.send(deep);
  assert.equal((await hostile.closed).code, 4400);
  assert.equal(storedOf(await talk.ask(outlet.push(outlet.edit("name", "Kedai Baru")))), 1);
  assert.equal(relay.process.exitCode, null);
  talk.socket.close();
});

test("what a push was answered for survives kill -9 of the relay, again and again in the middle of pushing", async () => {
  const outlet = new Outlet("tmp-2");
  let unanswered: Uint8Array = concatBytes(outlet.origin, outlet.edit("name", "n0"));
  for (let kill = 0; kill < KILLS; kill += 1) {
    const talk = await phone.connect(relay.url);
    for (let edit = 0; edit < 5; edit += 1) {
      assert.ok(storedOf(await talk.ask(outlet.push(unanswered))) > 0);
      unanswered = outlet.edit("name", `n${kill}.${edit}`);
    }
    // This one is on its way when the relay dies: nobody knows whether it was stored.
    talk.send(encodeFrame(outlet.push(unanswered)));
    await relay.end("SIGKILL");
    await talk.closed;
    relay = await serveRelay(dir);
    const again = await phone.connect(relay.url);
    const answer = await again.ask(outlet.push(unanswered));
    assert.equal(storedOf(answer), 1);
    unanswered = outlet.edit("town", `t${kill}`);
    again.socket.close();
  }
  const talk = await phone.connect(relay.url);
  assert.equal(storedOf(await talk.ask(outlet.push(unanswered))), 1);
  const whole = await wholeOf(talk, outlet.doc);
  // Birth and genesis, and every edit once: nothing lost, nothing doubled.
  assert.equal(A.getAllChanges(whole).length, 2 + KILLS * 6 + 1);
  talk.socket.close();
});

async function wholeOf(talk: Conversation, doc: string): Promise<A.Doc<Record<string, unknown>>> {
  n += 1;
  const answer = await talk.ask({ type: "heads", n, doc, heads: [] });
  assert.ok(answer.type === "repair" && answer.snapshot);
  return A.load(answer.bytes);
}
