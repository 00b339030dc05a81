import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { openHeadFile, readHeadFile, type Head } from "../../src/database/head-file.ts";

const newFile = () => path.join(mkdtempSync(path.join(tmpdir(), "sampai-head-")), "relay.head");
const headAt = (log: number): Head => ({
  v: 1,
  workspace: "w",
  term: "1:a",
  start: "0".repeat(16),
  log,
  trail: log * 2,
  documents: 0,
  known: [["1:a", log]],
  began: [],
  revoked: ["d1"],
});

test("the newest head is read again, whoever opens the file next", () => {
  const file = newFile();
  assert.equal(readHeadFile(file, "w"), null);
  for (let log = 1; log <= 5; log += 1) {
    const head = openHeadFile(file);
    head.write(headAt(log));
    head.close();
    assert.deepEqual(readHeadFile(file, "w"), headAt(log));
  }
});

test("a head of which only a part reached the disk leaves the one before it standing", () => {
  const file = newFile();
  const head = openHeadFile(file);
  head.write(headAt(1));
  const before = readFileSync(file);
  head.write(headAt(2));
  head.close();
  const after = readFileSync(file);
  const changed = [...after.keys()].filter((at) => after[at] !== before[at]);
  fc.assert(
    fc.property(fc.nat({ max: changed.length - 1 }), (kept) => {
      const torn = Buffer.from(after);
      for (const at of changed.slice(kept)) torn[at] = before[at] as number;
      writeFileSync(file, torn);
      assert.deepEqual(readHeadFile(file, "w"), headAt(1));
    }),
    { numRuns: 100, seed: 2 },
  );
});

test("a head file without one whole head, or of another workspace, is said and never taken for an empty one", () => {
  const file = newFile();
  const head = openHeadFile(file);
  assert.equal(readHeadFile(file, "w"), null, "a kill before the first write leaves nothing to compare with");
  head.write(headAt(1));
  head.close();
  assert.throws(() => readHeadFile(file, "other"), { code: "head.foreign" });
  writeFileSync(
    file,
    readFileSync(file).map((byte) => byte ^ 0xff),
  );
  assert.throws(() => readHeadFile(file, "w"), { code: "head.unreadable" });
});
