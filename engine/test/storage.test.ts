import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createNodeFiles } from "../adapters/node-files.ts";
import { createMemoryFiles, createMemoryStorage, openSegments } from "../src/index.ts";
import { storageContract } from "./storage.contract.ts";

storageContract("memory", async () => ({ storage: createMemoryStorage(), reopen: null }));
storageContract("segments over memory", async () => {
  const files = createMemoryFiles();
  return { storage: await openSegments(files), reopen: () => openSegments(files) };
});
storageContract("segments that merge all the time", async () => {
  const files = createMemoryFiles();
  const small = { mergeCommits: 2, partBytes: 100, residentBytes: 16, cacheBytes: 1_000 };
  return { storage: await openSegments(files, small), reopen: () => openSegments(files, small) };
});
storageContract("segments over node:fs", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "sampai-segments-"));
  return {
    storage: await openSegments(createNodeFiles(root), { mergeCommits: 16 }),
    reopen: () => openSegments(createNodeFiles(root)),
  };
});
