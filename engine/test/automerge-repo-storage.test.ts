import { Repo, type StorageAdapterInterface } from "@automerge/automerge-repo/slim";
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { createAutomergeRepoStorage } from "../adapters/automerge-repo-storage.ts";
import { startAutomerge } from "../adapters/automerge.ts";
import { createCapacitorFiles } from "../adapters/capacitor-files.ts";
import { openIndexedDbStorage } from "../adapters/indexeddb-storage.ts";
import { createNodeFiles } from "../adapters/node-files.ts";
import { createMemoryFiles, createMemoryStorage, openSegments, type Storage } from "../src/index.ts";
import { createSimulatedCapacitor } from "./simulated-capacitor.ts";

await startAutomerge();

// Their suite is written for vitest: here node:test answers to that name.
const shim = new URL("./vitest-shim.ts", import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "vitest" ? { url: shim, shortCircuit: true } : next(specifier, context),
});
interface StorageSuite {
  runStorageAdapterTests: (
    setup: () => Promise<{ adapter: StorageAdapterInterface; teardown?: () => Promise<void> }>,
    title: string,
  ) => void;
}
const suite = "@automerge/automerge-repo/helpers/tests/storage-adapter-tests.js";
const { runStorageAdapterTests } = (await import(suite)) as StorageSuite;

let databases = 0;
runStorageAdapterTests(async () => ({ adapter: createAutomergeRepoStorage(createMemoryStorage()) }), "over memory");
runStorageAdapterTests(async () => {
  databases += 1;
  const storage = await openIndexedDbStorage(`repo-${databases}`);
  return { adapter: createAutomergeRepoStorage(storage), teardown: () => storage.close() };
}, "over IndexedDB");
for (const platform of ["android", "ios"] as const) {
  runStorageAdapterTests(async () => {
    const files = createCapacitorFiles(createSimulatedCapacitor(platform), "DATA", "rep");
    const storage = await openSegments(files, { mergeCommits: 4 });
    return { adapter: createAutomergeRepoStorage(storage), teardown: () => storage.close() };
  }, `over segments on Capacitor files (${platform})`);
}
runStorageAdapterTests(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "sampai-repo-"));
  const storage = await openSegments(createNodeFiles(folder), { mergeCommits: 4 });
  const teardown = async () => {
    await storage.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { adapter: createAutomergeRepoStorage(storage), teardown };
}, "over segments on node:fs");

test("a stock Repo finds its documents again after a restart", async () => {
  const files = createMemoryFiles();
  const open = async () => {
    const storage: Storage = await openSegments(files, { mergeCommits: 3, partBytes: 2_000 });
    return { storage, repo: new Repo({ network: [], storage: createAutomergeRepoStorage(storage) }) };
  };
  const first = await open();
  const handle = first.repo.create<{ count: number }>({ count: 0 });
  for (let count = 1; count <= 20; count += 1) {
    handle.change((doc) => {
      doc.count = count;
    });
    await first.repo.flush();
  }
  await first.storage.close();
  const second = await open();
  const found = await second.repo.find<{ count: number }>(handle.url);
  assert.equal(found.doc().count, 20);
  await second.storage.close();
});

test("keys of every kind come back as they were, none is the beginning of another, and the engine's entries are not theirs", async () => {
  const storage = createMemoryStorage();
  await storage.commit([{ key: "doc/x", value: new Uint8Array([9]) }]);
  const adapter = createAutomergeRepoStorage(storage);
  const keys = [["AAAAA"], ["AAAAA", "snapshot"], ["AAAAAB"], ["a/b", "..", "_%"], ["", "kedai é 🙂"]];
  for (const [index, key] of keys.entries()) await adapter.save(key, new Uint8Array([index]));
  const all = await adapter.loadRange([]);
  assert.deepEqual(
    all.map(({ key }) => key),
    keys,
  );
  assert.deepEqual(
    (await adapter.loadRange(["AAAAA"])).map(({ key }) => key),
    [["AAAAA"], ["AAAAA", "snapshot"]],
  );
  await adapter.removeRange([]);
  assert.deepEqual(await storage.get("doc/x"), new Uint8Array([9]));
});
