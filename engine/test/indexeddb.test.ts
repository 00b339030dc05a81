import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import { openIndexedDbFiles } from "../adapters/indexeddb-files.ts";
import { openIndexedDbStorage } from "../adapters/indexeddb-storage.ts";
import { storageContract } from "./storage.contract.ts";

let databases = 0;
storageContract("IndexedDB", async () => {
  databases += 1;
  const name = `contract-${databases}`;
  return { storage: await openIndexedDbStorage(name), reopen: () => openIndexedDbStorage(name) };
});

const bytes = (...values: number[]) => new Uint8Array(values);

test("what a commit made durable is there when the database is opened again", async () => {
  const first = await openIndexedDbStorage("again");
  await first.commit([
    { key: "a/1", value: bytes(1) },
    { key: "a/2", value: bytes(2) },
  ]);
  await first.commit([{ key: "a/1", value: null }]);
  await first.close();
  const second = await openIndexedDbStorage("again");
  assert.deepEqual(await second.range("a/"), [{ key: "a/2", value: bytes(2) }]);
  assert.equal(await second.get("a/1"), undefined);
  await second.close();
});

test("commits called one after another take effect in that order, though they share transactions", async () => {
  const storage = await openIndexedDbStorage("order");
  const commits = [];
  for (let value = 0; value < 100; value += 1) {
    commits.push(
      storage.commit([
        { key: "k", value: bytes(value) },
        ...(value % 2 ? [] : [{ key: `n/${value}`, value: bytes(value) }]),
      ]),
    );
  }
  await Promise.all(commits);
  assert.deepEqual(await storage.get("k"), bytes(99));
  assert.equal((await storage.range("n/")).length, 50);
  await storage.close();
});

test("a read that starts after a commit was called sees that commit", async () => {
  const storage = await openIndexedDbStorage("read");
  const commit = storage.commit([{ key: "k", value: bytes(7) }]);
  assert.deepEqual(await storage.get("k"), bytes(7));
  await commit;
  await storage.close();
});

test("a view of a large buffer is kept as its own bytes, and later changes by the caller do not reach the storage", async () => {
  const storage = await openIndexedDbStorage("view");
  const large = new Uint8Array(100_000).fill(5);
  const view = large.subarray(10, 13);
  const commit = storage.commit([{ key: "v", value: view }]);
  view.fill(9);
  await commit;
  const kept = await storage.get("v");
  assert.deepEqual(kept, bytes(5, 5, 5));
  assert.equal(kept?.buffer.byteLength, 3);
  await storage.close();
});

test("a commit that the browser gives up is told to its caller, and the next one works", async () => {
  const storage = await openIndexedDbStorage("abort");
  const notAKey = { toString: () => "x" } as unknown as string;
  await assert.rejects(
    storage.commit([
      { key: "half", value: bytes(1) },
      { key: notAKey, value: bytes(2) },
    ]),
  );
  await storage.commit([{ key: "whole", value: bytes(3) }]);
  assert.deepEqual(await storage.range(""), [{ key: "whole", value: bytes(3) }]);
  await storage.close();
});

test("a file is written once: the second writer of a name is refused and the first bytes stay", async () => {
  const files = await openIndexedDbFiles("files");
  await files.write("photos/a.jpg", bytes(1, 2));
  await assert.rejects(files.write("photos/a.jpg", bytes(3)));
  assert.deepEqual(await files.read("photos/a.jpg"), bytes(1, 2));
  await files.write("photos/deep/b.jpg", bytes(4));
  assert.deepEqual(await files.list("photos"), ["a.jpg"]);
  await files.remove("photos/a.jpg");
  await files.remove("photos/a.jpg");
  assert.equal(await files.read("photos/a.jpg"), undefined);
});
