import assert from "node:assert/strict";
import { test } from "node:test";
import { createCapacitorFiles } from "../adapters/capacitor-files.ts";
import { openSegments, type Storage } from "../src/index.ts";
import { lostOperations } from "./lost-operations.ts";
import { seeded } from "./seeded.ts";
import { createSimulatedCapacitor, type CapacitorPlatform, type SimulatedCapacitor } from "./simulated-capacitor.ts";
import { storageContract } from "./storage.contract.ts";

const small = { mergeCommits: 3, partBytes: 90, residentBytes: 16, cacheBytes: 200 };
const open = (plugin: SimulatedCapacitor) => openSegments(createCapacitorFiles(plugin, "DATA", "rep"), small);
const bytes = (text: string) => new TextEncoder().encode(text);

for (const platform of ["android", "ios"] as const satisfies readonly CapacitorPlatform[]) {
  storageContract(`segments over Capacitor files (${platform})`, async () => {
    const plugin = createSimulatedCapacitor(platform);
    return { storage: await open(plugin), reopen: () => open(plugin) };
  });

  test(`${platform}: an app killed at any byte of any write or removal loses no answered commit`, async () => {
    for (const seed of [1, 2]) {
      const { plugin, states, answeredAt } = await history(platform, seed, 24);
      for (const [index, { bytes: written }] of plugin.operations.entries()) {
        const answered = answeredAt[index] ?? 0;
        const expected = [states[answered], states[answered + 1] ?? states[answered]];
        for (let length = 0; length <= (written?.length ?? 0); length += 3) {
          const storage = await open(plugin.after(index + 1, new Map([[index, length]])));
          const found = await stateOf(storage);
          assert.ok(expected.includes(found), `seed ${seed}, operation ${index} cut to ${length}: ${found}`);
          await storage.close();
        }
      }
    }
  });

  test(`${platform}: a power cut that tears the last three files takes nothing older with it`, async () => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const { plugin, states, answeredAt } = await history(platform, seed, 30);
      const random = seeded(seed + 500);
      const count = 1 + random.below(plugin.operations.length);
      const writes = plugin.operations.slice(0, count).flatMap((one, index) => (one.bytes === null ? [] : [index]));
      const torn = new Map(
        writes.slice(-3).map((index) => [index, random.below(plugin.operations[index]?.bytes?.length ?? 0)] as const),
      );
      const storage = await open(plugin.after(count, torn));
      const answered = answeredAt[count - 1] ?? 0;
      const recent = states.slice(Math.max(0, answered - 3), answered + 2).map(entriesOf);
      const found = new Map(entriesOf(await stateOf(storage)));
      for (const key of new Set(recent.flatMap((one) => one.map(([key]) => key)))) {
        const allowed = recent.map((one) => new Map(one).get(key));
        assert.ok(allowed.includes(found.get(key)), `seed ${seed}: ${key} is ${found.get(key)}, not ${allowed.join()}`);
      }
      await storage.close();
    }
  });

  test(`${platform}: a power cut that loses any of the last three changes, though later ones reached the flash, takes nothing older with it`, async () => {
    for (const seed of [1, 2]) {
      const { plugin, states, answeredAt } = await history(platform, seed, 30);
      for (let count = 1; count <= plugin.operations.length; count += 1) {
        const answered = answeredAt[count - 1] ?? 0;
        const recent = states.slice(Math.max(0, answered - 3), answered + 2).map((one) => new Map(entriesOf(one)));
        for (const lost of lostOperations(count)) {
          const storage = await open(plugin.after(count, new Map(), lost));
          const found = new Map(entriesOf(await stateOf(storage)));
          await storage.close();
          for (const key of new Set([...found.keys(), ...recent.flatMap((one) => [...one.keys()])])) {
            const allowed = recent.map((one) => one.get(key));
            const where = `seed ${seed}, stop at ${count} without ${[...lost].join()}`;
            assert.ok(allowed.includes(found.get(key)), `${where}: ${key} is ${found.get(key)}, not ${allowed.join()}`);
          }
        }
      }
    }
  });

  test(`${platform}: nothing is ever overwritten, also after a write that failed half way`, async () => {
    const plugin = createSimulatedCapacitor(platform);
    const storage = await open(plugin);
    for (let number = 0; number < 30; number += 1) {
      if (number % 5 === 4) plugin.failNextWrite = number % 2 === 0 ? "half" : "before";
      await storage.commit([{ key: `k/${number % 7}`, value: bytes(String(number)) }]).catch(() => undefined);
    }
    await storage.close();
    const again = await open(plugin);
    await again.commit([{ key: "k/0", value: bytes("last") }]);
    assert.deepEqual(plugin.overwritten, []);
    const paths = plugin.operations.filter((one) => one.bytes !== null).map(({ path }) => path);
    assert.equal(new Set(paths).size, paths.length, "every write has a name of its own");
    for (const path of paths) assert.match(path, /^rep\/segments\/[^/]+\.[a-z]+$/);
  });
}

test("a file that is there and cannot be read is no missing file", async () => {
  const plugin = createSimulatedCapacitor("ios");
  const files = createCapacitorFiles(plugin, "DATA", "rep");
  await files.write("photos/a.jpg", bytes("picture"));
  assert.equal(await files.read("photos/b.jpg"), undefined);
  await files.remove("photos/b.jpg");
  const broken = { ...plugin, readFile: () => Promise.reject(new Error("EIO")) };
  await assert.rejects(createCapacitorFiles(broken, "DATA", "rep").read("photos/a.jpg"), /EIO/);
  assert.equal(await createCapacitorFiles(broken, "DATA", "rep").read("photos/b.jpg"), undefined);
});

test("a folder that cannot be listed is an error, never an empty storage", async () => {
  const plugin = createSimulatedCapacitor("android");
  await createCapacitorFiles(plugin, "DATA", "rep").write("segments/1.seg", bytes("x"));
  const broken = { ...plugin, readdir: () => Promise.reject(new Error("EIO")) };
  await assert.rejects(openSegments(createCapacitorFiles(broken, "DATA", "rep")), /EIO/);
});

test("a name that is taken is refused, and one without an extension too", async () => {
  const files = createCapacitorFiles(createSimulatedCapacitor("ios"), "DATA", "rep");
  await files.write("photos/a.jpg", bytes("one"));
  await assert.rejects(files.write("photos/a.jpg", bytes("two")), /there already/);
  assert.deepEqual(await files.read("photos/a.jpg"), bytes("one"));
  await assert.rejects(files.write("photos/a", bytes("two")), /extension/);
});

/** Runs commits and notes, for each change of the flash, how many commits had been answered by then. */
async function history(platform: CapacitorPlatform, seed: number, commits: number) {
  const random = seeded(seed);
  const plugin = createSimulatedCapacitor(platform);
  const storage = await open(plugin);
  const states = [JSON.stringify([])];
  const answeredAt: number[] = [];
  const model = new Map<string, string>();
  for (let number = 1; number <= commits; number += 1) {
    const key = `k/${random.below(6)}`;
    const value = random.chance(0.2) ? null : `${number}:${"x".repeat(random.below(30))}`;
    await storage.commit([{ key, value: value === null ? null : bytes(value) }]);
    while (answeredAt.length < plugin.operations.length) answeredAt.push(number - 1);
    if (value === null) model.delete(key);
    else model.set(key, value);
    states.push(JSON.stringify([...model].toSorted(([a], [b]) => (a < b ? -1 : 1))));
    // A merge gets as far as it likes before the next commit.
    for (let turns = random.below(20); turns > 0; turns -= 1) await Promise.resolve();
    while (answeredAt.length < plugin.operations.length) answeredAt.push(number);
  }
  await storage.close();
  while (answeredAt.length < plugin.operations.length) answeredAt.push(commits);
  return { plugin, states, answeredAt };
}

async function stateOf(storage: Storage): Promise<string> {
  const entries = await storage.range("");
  return JSON.stringify(entries.map(({ key, value }) => [key, new TextDecoder().decode(value)]));
}

const entriesOf = (state: string) => JSON.parse(state) as [string, string][];
