import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const root = path.join(import.meta.dirname, "../..");
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root })
  .toString()
  .split("\n")
  .filter((file) => file !== "");
const code = tracked.filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !/^app\/(android|ios)\//.test(file));
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

test("no file is a drawer: nothing is called utils, helpers, common or Manager", () => {
  const drawers = code.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.)|manager/i.test(file));
  assert.deepEqual(drawers, []);
});

test("the engine's own code asks no platform for anything", () => {
  const asks = code
    .filter((file) => file.startsWith("engine/src/"))
    .filter((file) =>
      /from "node:|process\.(env|cwd|exit|argv|on)|Date\.now\(|new Date\(\)|Math\.random\(/.test(read(file)),
    );
  assert.deepEqual(asks, []);
});

test("the conformance room imports none of the rooms it judges", () => {
  const imports = code
    .filter((file) => file.startsWith("conformance/"))
    .filter((file) => /from "(@sampai\/|\.\.\/\.\.\/(engine|sync-server|app)\/)/.test(read(file)));
  assert.deepEqual(imports, []);
});

test("nothing is skipped, left to do or waits by sleeping", () => {
  const markers = /\b(test|it|describe)\.(skip|todo|only)\b|\b(TO[D]O|FIX[M]E)\b/;
  assert.deepEqual(
    code.filter((file) => markers.test(read(file))),
    [],
  );
});
