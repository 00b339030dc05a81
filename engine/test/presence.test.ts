import assert from "node:assert/strict";
import { test } from "node:test";
import { documentId, type Wire } from "../src/index.ts";
import { createPresence } from "../src/sync/presence.ts";
import type { PhoneMessage } from "../src/wire/index.ts";
import { manualClock, seeded } from "./document-world.ts";

type Said = Extract<PhoneMessage, { type: "presence" }>;

/** Devices in one room: what one says the others hear, with the identity that the relay knows, until they are cut off. */
function room(...people: string[]) {
  const time = manualClock();
  const said: { from: string; message: Said }[] = [];
  const phones = people.map((person, index) => {
    const presence = createPresence({ workspace: "demo", clock: time.clock, random: seeded(index + 1).random });
    return { person, presence, online: false };
  });
  const relay = (from: string, message: Said) => {
    said.push({ from, message });
    for (const { person, presence, online } of phones) {
      if (person === from || !online) continue;
      const { doc, session, count, data } = message;
      presence.receive({ type: "present", doc, device: `device-${from}`, by: from, role: "rep", session, count, data });
    }
  };
  const wireOf = (person: string) => ({ send: (message: Said) => relay(person, message) }) as unknown as Wire;
  const claimed = { type: "claimed", n: 0, term: "1-a", at: "2026-11-23T00:00:00.000Z", tips: [], wants: [] } as never;
  const phone = (person: string) => {
    const found = phones.find((one) => one.person === person);
    assert.ok(found !== undefined);
    return {
      presence: found.presence,
      connect: () => {
        found.online = true;
        found.presence.connected(wireOf(person), claimed);
      },
      cut: () => {
        found.online = false;
        found.presence.lost();
      },
      sees: () => found.presence.others("store", "S-1").map(({ person, editing }) => `${person}:${editing}`),
    };
  };
  /** Lets so much time pass, timer by timer. */
  const pass = (ms: number) => {
    const until = time.clock.tickMs() + ms;
    while (time.runNext(Math.max(0, until - time.clock.tickMs()))) {
      // Each timer may set the next.
    }
    time.advance(Math.max(0, until - time.clock.tickMs()));
  };
  return { phone, pass, said };
}

test("who opens a document sees who is there already, and is seen", () => {
  const { phone, pass } = room("Ali", "Siti");
  const [ali, siti] = [phone("Ali"), phone("Siti")];
  ali.connect();
  siti.connect();
  ali.presence.announce("store", "S-1", null);
  siti.presence.announce("store", "S-1", "name");
  pass(1_000);
  assert.deepEqual(ali.sees(), ["Siti:name"]);
  assert.deepEqual(siti.sees(), ["Ali:null"]);
  assert.deepEqual(siti.presence.others("store", "S-2"), []);
});

test("who leaves is gone at once, and who falls silent after half a minute", () => {
  const { phone, pass } = room("Ali", "Siti", "Tan");
  const [ali, siti, tan] = [phone("Ali"), phone("Siti"), phone("Tan")];
  for (const one of [ali, siti, tan]) {
    one.connect();
    one.presence.announce("store", "S-1", null);
  }
  pass(1_000);
  const heard: string[] = [];
  ali.presence.onChange((doc) => heard.push(doc));
  siti.presence.leave("store", "S-1");
  assert.deepEqual(ali.sees(), ["Tan:null"]);
  tan.cut();
  pass(20_000);
  assert.deepEqual(ali.sees(), ["Tan:null"], "a phone in a lift is not gone");
  pass(15_000);
  assert.deepEqual(ali.sees(), []);
  assert.deepEqual(heard, Array(2).fill(documentId("demo", "store", "S-1")));
});

test("who stays is there however long nothing happens", () => {
  const { phone, pass } = room("Ali", "Siti");
  for (const one of [phone("Ali"), phone("Siti")]) {
    one.connect();
    one.presence.announce("store", "S-1", null);
  }
  pass(600_000);
  assert.deepEqual(phone("Ali").sees(), ["Siti:null"]);
});

test("without a connection nobody is seen, and after it everybody says again where he is", () => {
  const { phone, pass } = room("Ali", "Siti");
  const [ali, siti] = [phone("Ali"), phone("Siti")];
  ali.presence.announce("store", "S-1", "town");
  siti.presence.announce("store", "S-1", null);
  ali.connect();
  siti.connect();
  pass(1_000);
  assert.deepEqual(siti.sees(), ["Ali:town"]);
  siti.cut();
  assert.deepEqual(siti.sees(), []);
  siti.connect();
  pass(11_000);
  assert.deepEqual(siti.sees(), ["Ali:town"]);
});

test("an older message that was overtaken changes nothing, and unreadable bytes neither", () => {
  const { phone, said } = room("Ali", "Siti");
  const [ali, siti] = [phone("Ali"), phone("Siti")];
  ali.connect();
  siti.connect();
  ali.presence.announce("store", "S-1", "name");
  ali.presence.announce("store", "S-1", "town");
  const [first] = said;
  assert.ok(first !== undefined);
  const { doc, session, count } = first.message;
  const from = { type: "present", doc, device: "device-Ali", by: "Ali", role: "rep", session } as const;
  siti.presence.receive({ ...from, count, data: first.message.data });
  siti.presence.receive({ ...from, count: 99, data: new Uint8Array([255, 0]) });
  assert.deepEqual(siti.sees(), ["Ali:town"]);
});

test("a phone whose app was restarted is heard although its count begins anew, and a crowd is bounded", () => {
  const { phone } = room("Ali");
  const ali = phone("Ali");
  ali.connect();
  const doc = documentId("demo", "store", "S-1");
  const data = (editing: string) => new TextEncoder().encode(JSON.stringify({ here: true, editing }));
  const from = { type: "present", doc, by: "Siti", role: "rep" } as const;
  ali.presence.receive({ ...from, device: "d", session: "a", count: 9, data: data("name") });
  ali.presence.receive({ ...from, device: "d", session: "b", count: 1, data: data("town") });
  assert.deepEqual(ali.sees(), ["Siti:town"]);
  for (let other = 0; other < 200; other += 1) {
    ali.presence.receive({ ...from, device: `d${other}`, session: "s", count: 1, data: data("name") });
  }
  assert.equal(ali.presence.others("store", "S-1").length, 50);
});
