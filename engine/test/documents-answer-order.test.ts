import assert from "node:assert/strict";
import { test } from "node:test";
import { createDocumentSync, type Clock, type DocumentStore, type Wire, type WireAnswers } from "../src/index.ts";

const doc = "4NMNnkMhL8jXrdJ9jamS58PAVdXu";
const cursor = (position: number) => ({ term: "1:a", position, scope: 1 });
const changes = (position: number, n: number | null): WireAnswers["feed"] => ({
  type: "changes",
  n,
  items: [{ doc, kind: "store", key: "S-1", position, bytes: new Uint8Array(1), snapshot: true }],
  leave: [],
  cursor: cursor(position),
  more: false,
});
const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("a push's answer is acted on when all that the feed brought before it is durable", async () => {
  const done: string[] = [];
  const durable: (() => void)[] = [];
  let dirty = [doc];
  const documents = {
    onWork: () => () => undefined,
    cursor: () => cursor(1),
    doubted: () => [],
    dirty: () => dirty,
    identify: () => ({ kind: "store", key: "S-1" }),
    unsent: () => [{ bytes: new Uint8Array(10), hashes: ["h1"] }],
    receive: async () => {
      await new Promise<void>((resolve) => durable.push(resolve));
      done.push("what the feed brought");
    },
    stored: async () => {
      dirty = [];
      done.push("the answer");
    },
  } as unknown as DocumentStore;
  const answers = new Map<string, (answer: never) => void>();
  const waitFor = (name: string) => new Promise<never>((resolve) => answers.set(name, resolve));
  const wire = {
    request: ({ type }: { type: string }) => waitFor(type),
    begin: () => 7,
    sendPiece: () => undefined,
    answer: () => waitFor("push"),
    send: () => undefined,
    giveUp: () => undefined,
  } as unknown as Wire;
  const clock: Clock = { wallMs: () => 0, tickMs: () => 0, boot: "b", after: () => () => undefined };
  const lanes = { waiting: () => undefined, enter: () => Promise.resolve(() => undefined), mustYield: () => false };
  const sync = createDocumentSync({ documents, lanes, clock, attempted: () => undefined });
  sync.connected(wire, { term: "1:a" } as WireAnswers["claim"]);
  await turn();
  answers.get("feed")?.({ ok: true, value: changes(2, 1) } as never);
  await turn();
  sync.receive(changes(3, null));
  const pushed = { type: "pushed", n: 7, doc, stored: [2], heads: [], missing: [], refused: [] };
  answers.get("push")?.({ ok: true, value: pushed } as never);
  for (let turns = 0; turns < 5; turns += 1) await turn();
  assert.deepEqual(done, [], "nothing is durable yet");
  durable.shift()?.();
  for (let turns = 0; turns < 5; turns += 1) await turn();
  assert.deepEqual(done, ["what the feed brought"], "a second frame came before the answer");
  durable.shift()?.();
  for (let turns = 0; turns < 5; turns += 1) await turn();
  assert.deepEqual(done, ["what the feed brought", "what the feed brought", "the answer"]);
  sync.lost();
});
