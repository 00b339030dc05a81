import assert from "node:assert/strict";
import { test } from "node:test";
import type { Storage } from "../src/index.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

/** What every adapter of the Storage port must do. `open` gives a fresh storage and, where it survives, a way to open it again. */
export function storageContract(
  name: string,
  open: () => Promise<{ storage: Storage; reopen: (() => Promise<Storage>) | null }>,
): void {
  test(`${name}: a committed value is read back, a removed one is gone`, async () => {
    const { storage } = await open();
    await storage.commit([
      { key: "a/1", value: bytes(1) },
      { key: "a/2", value: bytes() },
    ]);
    assert.deepEqual(await storage.get("a/1"), bytes(1));
    assert.deepEqual(await storage.get("a/2"), bytes());
    assert.equal(await storage.get("a/3"), undefined);
    await storage.commit([{ key: "a/1", value: null }]);
    assert.equal(await storage.get("a/1"), undefined);
    await storage.close();
  });

  test(`${name}: a range is every key with the prefix, in code unit order`, async () => {
    const { storage } = await open();
    for (const key of ["b/2", "a/10", "a/2", "a.x", "b", "a/1", "A/1"])
      await storage.commit([{ key, value: bytes(1) }]);
    const keys = async (prefix: string) => (await storage.range(prefix)).map(({ key }) => key);
    assert.deepEqual(await keys("a/"), ["a/1", "a/10", "a/2"]);
    assert.deepEqual(await keys("b"), ["b", "b/2"]);
    assert.deepEqual(await keys("c"), []);
    assert.deepEqual(await keys(""), ["A/1", "a.x", "a/1", "a/10", "a/2", "b", "b/2"]);
    await storage.close();
  });

  test(`${name}: commits take effect in the order of the calls, also within one commit`, async () => {
    const { storage } = await open();
    const commits = [];
    for (let value = 0; value < 50; value += 1) {
      commits.push(
        storage.commit([
          { key: "k", value: bytes(255) },
          { key: "k", value: bytes(value) },
          { key: `n/${value}`, value: value % 2 ? bytes(value) : null },
        ]),
      );
    }
    await Promise.all(commits);
    assert.deepEqual(await storage.get("k"), bytes(49));
    assert.equal((await storage.range("n/")).length, 25);
    await storage.close();
  });

  test(`${name}: a caller that changes its bytes after the call changes nothing that is kept`, async () => {
    const { storage } = await open();
    const value = bytes(1, 2);
    const commit = storage.commit([{ key: "k", value }]);
    value[0] = 9;
    await commit;
    assert.deepEqual(await storage.get("k"), bytes(1, 2));
    await storage.close();
  });

  test(`${name}: values of every size come back whole`, async () => {
    const { storage, reopen } = await open();
    const sizes = [0, 1, 255, 4_095, 4_096, 4_097, 300_000];
    for (const size of sizes)
      await storage.commit([{ key: `s/${size}`, value: new Uint8Array(size).fill(size % 251) }]);
    const check = async (of: Storage) => {
      for (const size of sizes)
        assert.deepEqual(await of.get(`s/${size}`), new Uint8Array(size).fill(size % 251), `${size} bytes`);
    };
    await check(storage);
    await storage.close();
    if (reopen === null) return;
    const again = await reopen();
    await check(again);
    await again.close();
  });

  test(`${name}: what was committed is there when it is opened again, where it is meant to survive`, async () => {
    const { storage, reopen } = await open();
    for (let value = 0; value < 200; value += 1)
      await storage.commit([
        { key: `k/${value % 40}`, value: bytes(value) },
        { key: `k/${(value + 7) % 40}`, value: null },
      ]);
    const before = await storage.range("");
    await storage.close();
    if (reopen === null) return;
    const again = await reopen();
    assert.deepEqual(await again.range(""), before);
    await again.close();
  });
}
