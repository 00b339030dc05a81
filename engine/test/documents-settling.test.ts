import * as A from "@automerge/automerge/slim";
import assert from "node:assert/strict";
import { test } from "node:test";
import { startAutomerge } from "../adapters/automerge.ts";
import { readEdits } from "../src/documents/change-edits.ts";
import { readChunks } from "../src/documents/chunk.ts";
import { applyEdits } from "../src/documents/edits.ts";
import { beginReplica, originOf, type Replica } from "../src/documents/genesis.ts";
import { schemaRules, viewOf } from "../src/documents/view.ts";

await startAutomerge();

const author = (by: string) => ({ by, role: "supervisor" as const, device: `d-${by}` });

function edited(replica: Replica, by: string, field: string, value: string, key?: string) {
  const edit = { field, set: value, ...(key === undefined ? {} : { key }) };
  const result = applyEdits(replica, "store", [edit], author(by), 1_000, schemaRules);
  assert.ok(result.ok);
  return result.value;
}

for (const key of [undefined, "owner"]) {
  const field = key === undefined ? "name" : "contactName";
  test(`a person settles a conflict over a ${key === undefined ? "field" : "row"} by either of its values, whichever Automerge itself holds`, () => {
    for (const [first, second] of [
      ["11", "ff"],
      ["ff", "11"],
    ] as const) {
      const start = beginReplica(originOf("demo", "store", "S-1"), "aa".repeat(16));
      const one = edited(A.clone(start, { actor: first.repeat(16) }), "S1", field, "One", key).replica;
      const two = edited(A.clone(start, { actor: second.repeat(16) }), "S2", field, "Two", key).replica;
      const both = A.merge(A.clone(one, { actor: "cc".repeat(16) }), two);
      assert.equal(viewOf(both, "store", schemaRules).conflicts.length, 1);
      for (const value of ["One", "Two"]) {
        const settled = edited(A.clone(both, { actor: "dd".repeat(16) }), "S3", field, value, key);
        const view = viewOf(settled.replica, "store", schemaRules);
        assert.deepEqual(view.conflicts, []);
        assert.deepEqual(view.value[field], key === undefined ? value : { [key]: value });
        const chunks = readChunks(settled.bytes as Uint8Array);
        assert.equal(chunks.damage, null);
        for (const { bytes } of chunks.chunks) assert.ok(readEdits("store", A.decodeChange(bytes)).ok, value);
      }
    }
  });
}
