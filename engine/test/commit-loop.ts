// A process that commits for ever and says on standard output what was answered: a test kills it.
import { createNodeFiles } from "../adapters/node-files.ts";
import { openSegments } from "../src/index.ts";

const storage = await openSegments(createNodeFiles(process.argv[2] ?? ""), { mergeCommits: 8 });
const before = await storage.range("n/");
for (let number = before.length; ; number += 1) {
  const value = new TextEncoder().encode(`${number}:${"x".repeat((number * 37) % 3_000)}`);
  await storage.commit([
    { key: `n/${String(number).padStart(9, "0")}`, value },
    { key: "last", value },
  ]);
  process.stdout.write(`${number}\n`);
}
