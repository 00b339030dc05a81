import type { RelayMessage } from "@sampai/engine/wire";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { enrolPhone, type WirePhone } from "./wire-phone.ts";
import { inviteRep, newFolder, serveRelay, type RelayProcess } from "./relay-process.ts";

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

test("a batch of events is placed once, and the same batch again is a duplicate", async () => {
  const talk = await phone.connect();
  const events = phone.events(3);
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(1, events))), ["placed", "placed", "placed"]);
  assert.deepEqual(answersOf(await talk.ask(phone.appendMessage(2, events))), ["duplicate", "duplicate", "duplicate"]);
  talk.socket.close();
});
