import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { mutatedTree } from "./mutated-tree.ts";

test("a fault that does not stand in its file exactly once is refused, and nothing is copied", async () => {
  const root = path.join(tmpdir(), `sampai-mutated-${process.pid}`);
  const file = "sync-server/src/database/connection.ts";
  for (const find of ["synchronous = never", "pragma "]) {
    await assert.rejects(mutatedTree(root, [{ file, find, replace: "" }]), /times what is to be changed/);
  }
  assert.ok(!existsSync(root));
});
