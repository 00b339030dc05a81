import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryFiles, openSegments, type Storage, type StorageWrite } from "../src/index.ts";
import { lostOperations } from "./lost-operations.ts";
import { seeded, type Seeded } from "./seeded.ts";
import { createSimulatedDisk } from "./simulated-disk.ts";

type State = ReadonlyMap<string, string>;
const small = { mergeCommits: 3, partBytes: 90, residentBytes: 16, cacheBytes: 200 };
const text = (value: Uint8Array) => new TextDecoder().decode(value);

async function stateOf(storage: Storage): Promise<State> {
  return new Map((await storage.range("")).map(({ key, value }) => [key, text(value)]));
}

function randomWrites(random: Seeded, number: number): StorageWrite[] {
  return Array.from({ length: 1 + random.below(3) }, () => ({
    key: `k/${random.below(9)}`,
    value: random.chance(0.25) ? null : new TextEncoder().encode(`${number}:${"x".repeat(random.below(40))}`),
  }));
}

function apply(state: State, writes: readonly StorageWrite[]): State {
  const next = new Map(state);
  for (const { key, value } of writes) {
    if (value === null) next.delete(key);
    else next.set(key, text(value));
  }
  return next;
}

/** Runs commits and notes, for each operation of the disk, how many commits had been answered by then. */
async function history(seed: number, commits: number) {
  const random = seeded(seed);
  const disk = createSimulatedDisk();
  const storage = await openSegments(disk, small);
  const states: State[] = [new Map()];
  const answeredAt: number[] = [];
  for (let number = 1; number <= commits; number += 1) {
    const writes = randomWrites(random, number);
    await storage.commit(writes);
    while (answeredAt.length < disk.operations.length) answeredAt.push(number - 1);
    states.push(apply(states.at(-1) as State, writes));
    // Let a merge get as far as it likes before the next commit.
    for (let turns = random.below(12); turns > 0; turns -= 1) await Promise.resolve();
    while (answeredAt.length < disk.operations.length) answeredAt.push(number);
  }
  await storage.close();
  while (answeredAt.length < disk.operations.length) answeredAt.push(commits);
  return { disk, states, answeredAt };
}

for (const seed of [1, 2, 3, 4]) {
  test(`a stop at any byte of any write or removal loses no answered commit and splits none (seed ${seed})`, async () => {
    const { disk, states, answeredAt } = await history(seed, 30);
    assert.ok(
      disk.operations.some(({ bytes }) => bytes === null),
      "the history removes files",
    );
    for (const [index, { bytes }] of disk.operations.entries()) {
      const answered = answeredAt[index] ?? 0;
      for (let length = 0; length <= (bytes?.length ?? 0); length += 1) {
        const storage = await openSegments(await disk.after(index + 1, new Map([[index, length]])), small);
        const state = await stateOf(storage);
        const expected = [states[answered], states[answered + 1]].filter((one) => one !== undefined);
        assert.ok(
          expected.some((one) => assertable(one, state)),
          `operation ${index} cut to ${length} bytes: ${shown(state)} is neither of ${expected.map(shown).join(" or ")}`,
        );
        assert.deepEqual(
          storage.damage.filter(({ reason }) => reason !== "unfinished"),
          [],
        );
        await storage.close();
      }
    }
  });
}

test("with the last three writes torn, everything older is still there", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const { disk, states, answeredAt } = await history(seed, 40);
    const random = seeded(seed + 1_000);
    const count = 1 + random.below(disk.operations.length);
    const writes = disk.operations.slice(0, count).flatMap(({ bytes }, index) => (bytes === null ? [] : [index]));
    const torn = new Map(
      writes.slice(-3).map((index) => [index, random.below(disk.operations[index]?.bytes?.length ?? 0)] as const),
    );
    const storage = await openSegments(await disk.after(count, torn), small);
    const state = await stateOf(storage);
    const answered = answeredAt[count - 1] ?? 0;
    const old = states[Math.max(0, answered - 3)] ?? new Map<string, string>();
    const recent = states.slice(Math.max(0, answered - 3), answered + 2);
    for (const key of new Set(recent.flatMap((one) => [...one.keys()]))) {
      const allowed = recent.map((one) => one.get(key));
      assert.ok(
        allowed.includes(state.get(key)),
        `seed ${seed}: ${key} is ${state.get(key)}, not one of ${allowed.join()}`,
      );
    }
    for (const [key, value] of old)
      if (recent.every((one) => one.get(key) === value)) assert.equal(state.get(key), value, `seed ${seed}`);
    await storage.close();
  }
});

test("with any of the last three operations lost, removals too, though later ones reached the disk, everything older is still there", async () => {
  for (const seed of [1, 2, 3]) {
    const { disk, states, answeredAt } = await history(seed, 40);
    for (let count = 1; count <= disk.operations.length; count += 1) {
      const answered = answeredAt[count - 1] ?? 0;
      const recent = states.slice(Math.max(0, answered - 3), answered + 2);
      for (const lost of lostOperations(count)) {
        const storage = await openSegments(await disk.after(count, new Map(), lost), small);
        const state = await stateOf(storage);
        await storage.close();
        for (const key of new Set([...state.keys(), ...recent.flatMap((one) => [...one.keys()])])) {
          const allowed = recent.map((one) => one.get(key));
          const where = `seed ${seed}, stop at ${count} without ${[...lost].join()}`;
          assert.ok(allowed.includes(state.get(key)), `${where}: ${key} is ${state.get(key)}, not ${allowed.join()}`);
        }
      }
    }
  }
});

test("the storage goes on after each of many stops, and no stop is mistaken for damage", async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = seeded(seed);
    let files = createSimulatedDisk();
    let state: State = new Map();
    for (let life = 0; life < 12; life += 1) {
      const storage = await openSegments(files, small);
      assert.deepEqual(
        storage.damage.filter(({ reason }) => reason !== "unfinished"),
        [],
        `seed ${seed} life ${life}`,
      );
      const found = await stateOf(storage);
      assert.ok(assertable(state, found), `seed ${seed} life ${life}`);
      for (let commits = random.below(9); commits > 0; commits -= 1) {
        const writes = randomWrites(random, commits);
        await storage.commit(writes);
        state = apply(state, writes);
      }
      await storage.close();
      // A last commit that never was answered: cut somewhere before its end.
      const dying = await openSegments(files, small);
      const before = files.operations.length;
      await dying.commit(randomWrites(random, 99));
      await dying.close();
      const cut = disksWrite(files, before);
      const image = await files.after(
        cut + 1,
        new Map([[cut, random.below(files.operations[cut]?.bytes?.length ?? 1)]]),
      );
      files = createSimulatedDisk();
      for (const name of await image.list("segments"))
        await files.write(`segments/${name}`, (await image.read(`segments/${name}`)) as Uint8Array);
    }
  }
});

test("a rotten old file is reported and kept, and the good ones around it are read", async () => {
  const files = createMemoryFiles();
  const storage = await openSegments(files);
  for (let value = 0; value < 5; value += 1)
    await storage.commit([{ key: `k/${value}`, value: new Uint8Array([value]) }]);
  await storage.close();
  const name = "segments/000000000002.seg";
  const rotten = ((await files.read(name)) as Uint8Array).slice();
  rotten[rotten.length - 1] = 99;
  await files.remove(name);
  await files.write(name, rotten);
  const again = await openSegments(files);
  assert.deepEqual(again.damage, [{ where: name, reason: "checksum", bytes: rotten.length }]);
  assert.deepEqual(
    (await again.range("k/")).map(({ key }) => key),
    ["k/0", "k/1", "k/3", "k/4"],
  );
  for (let value = 0; value < 200; value += 1) await again.commit([{ key: "k/9", value: new Uint8Array([value]) }]);
  await again.close();
  assert.deepEqual(await files.read(name), rotten, "a damaged file is evidence: no merge removes it");
  assert.equal((await openSegments(files)).damage.length, 1);
});

test("a full disk refuses the commit, keeps what was there, and takes commits again when there is room", async () => {
  const disk = createSimulatedDisk();
  const storage = await openSegments(disk, small);
  await storage.commit([{ key: "a", value: new Uint8Array([1]) }]);
  for (const fate of ["fail", "half"] as const) {
    disk.onWrite = () => fate;
    await assert.rejects(storage.commit([{ key: "a", value: new Uint8Array([2]) }]), /simulated/);
    assert.deepEqual(await storage.get("a"), new Uint8Array([1]));
  }
  disk.onWrite = null;
  await storage.commit([{ key: "b", value: new Uint8Array([3]) }]);
  await storage.close();
  const again = await openSegments(disk, small);
  assert.deepEqual([...(await stateOf(again)).keys()], ["a", "b"]);
  assert.deepEqual(
    again.damage.map(({ reason }) => reason),
    ["unfinished"],
  );
});

test("a merge that fails for want of room changes nothing and is tried again", async () => {
  const disk = createSimulatedDisk();
  const storage = await openSegments(disk, small);
  let state: State = new Map();
  disk.onWrite = (path) => (/\d+\.\d+\./.test(path) ? "fail" : "keep");
  const random = seeded(7);
  for (let number = 0; number < 20; number += 1) {
    if (number === 12) disk.onWrite = null;
    const writes = randomWrites(random, number);
    await storage.commit(writes);
    state = apply(state, writes);
  }
  assert.deepEqual(await stateOf(storage), new Map(inOrder(state)));
  await storage.close();
  assert.ok(
    (await disk.list("segments")).some((name) => /\d+\.\d+\./.test(name)),
    "a merge came about in the end",
  );
  assert.deepEqual(await stateOf(await openSegments(disk, small)), new Map(inOrder(state)));
});

function inOrder(state: State): readonly (readonly [string, string])[] {
  return [...state].sort(([a], [b]) => (a < b ? -1 : 1));
}

const shown = (state: State) => JSON.stringify([...state]);

function assertable(expected: State, found: State): boolean {
  return expected.size === found.size && [...expected].every(([key, value]) => found.get(key) === value);
}

/** Index of the first write after `from`. */
function disksWrite(disk: { operations: readonly { bytes: Uint8Array | null }[] }, from: number): number {
  return disk.operations.findIndex(({ bytes }, index) => index >= from && bytes !== null);
}
