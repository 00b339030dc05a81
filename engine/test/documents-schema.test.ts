import * as A from "@automerge/automerge/slim";
import assert from "node:assert/strict";
import { test } from "node:test";
import { startAutomerge } from "../adapters/automerge.ts";
import { readEdits, judgeEdit } from "../src/documents/change-edits.ts";
import { readChunks } from "../src/documents/chunk.ts";
import { documentId } from "../src/documents/document-id.ts";
import {
  beginReplica,
  composeSchemaChange,
  hasGenesis,
  originOf,
  schemaChanges,
  schemaHashes,
} from "../src/documents/genesis.ts";
import { documentKinds } from "../src/documents/kinds.ts";
import { conflictRules } from "../src/documents/conflicts/index.ts";
import { bytesToHex, concatBytes } from "../src/core/hash.ts";
import type { DocumentKind } from "../src/documents/documents.ts";

await startAutomerge();
const kinds = Object.keys(documentKinds) as DocumentKind[];

for (const kind of kinds) {
  test(`the ${kind}'s schema bytes are what its field table says, version by version`, () => {
    const changes = schemaChanges(kind);
    assert.ok(changes.length > 0);
    changes.forEach((bytes, index) => {
      const composed = composeSchemaChange(documentKinds[kind], index + 1, changes.slice(0, index));
      assert.equal(bytesToHex(bytes), bytesToHex(composed));
    });
  });

  test(`the ${kind}'s genesis makes every scalar null and every container once`, () => {
    const replica = beginReplica(originOf("demo", kind, "K-1"), "aa".repeat(16));
    assert.ok(hasGenesis(replica, kind));
    assert.deepEqual(A.getMissingDeps(replica, []), []);
    const plain = A.toJS<Record<string, unknown>>(replica);
    assert.equal(String(plain["kind"]), kind);
    assert.equal(String(plain["key"]), "K-1");
    for (const [name, { column, type }] of Object.entries(documentKinds[kind].fields)) {
      if (column) assert.deepEqual(plain[name], {}, name);
      else if (type === "text") assert.equal(plain[name], "", name);
      else if (type === "counter") assert.equal(Number(plain[name]), 0, name);
      else assert.equal(plain[name], null, name);
    }
  });

  test(`every field of the ${kind} names a rule that exists and its summary names fields without rows`, () => {
    const { fields, summary } = documentKinds[kind];
    for (const { rule } of Object.values(fields)) assert.ok(conflictRules[rule]);
    for (const name of summary) assert.equal(fields[name]?.column, false, name);
  });
}

test("the genesis of each kind is the same for ever", () => {
  const golden = kinds.map((kind) => [kind, schemaHashes(kind)[0]]);
  assert.deepEqual(Object.fromEntries(golden), {
    store: "3b8cc8c255a2fa51d7acaf81b81fcd792997131a136bf41e24cef407ae7d9796",
    visit: "0ff45c3cbfc42c575190ca4f39417c817c3ca330992db75a2a2316cf10b894ad",
    plan: "aaf0690ee883034cc8b395adace17a9e68291438a943db3e793d46d9301b16bc",
  });
});

test("a document's id is base58check of workspace, kind and key, and two people who make it make the same bytes", () => {
  assert.equal(documentId("demo", "store", "S-0481"), "3Axb2QZPYk9Vf62bUtJVioGJmf2g");
  const [mine, yours] = [originOf("demo", "store", "S-0481"), originOf("demo", "store", "S-0481")];
  assert.deepEqual(mine, yours);
  assert.notEqual(mine.doc, originOf("other", "store", "S-0481").doc);
  assert.equal(A.decodeChange(mine.changes.at(-1) as Uint8Array).time, 0);
});

const author = { time: 1_700_000_000_000, message: JSON.stringify({ by: "R1", role: "rep", device: "d" }) };
type Fields = Record<string, unknown>;
function decodeEdit(edit: (fields: Fields) => void) {
  const replica = beginReplica(originOf("demo", "store", "S-1"), "ab".repeat(16));
  return A.decodeChange(A.getLastLocalChange(A.change(replica, author, edit)) as Uint8Array);
}

test("a change is read into the fields it writes, without the document", () => {
  const read = readEdits(
    "store",
    decodeEdit((fields) => {
      fields["name"] = new A.ImmutableString("Kedai Ali");
      (fields["priceSen"] as Fields)["1047"] = 250;
      (fields["visitCount"] as A.Counter).increment(2);
      A.splice(fields, ["notes"], 0, 0, "hi");
    }),
  );
  assert.deepEqual(read, {
    ok: true,
    value: [
      { field: "name", row: null, does: "set", value: "Kedai Ali", empty: true },
      { field: "priceSen", row: "1047", does: "set", value: 250, empty: true },
      { field: "visitCount", row: null, does: "increment", by: 2 },
      { field: "notes", row: null, does: "text", inserted: "hi", removed: 0 },
    ],
  });
});

for (const [what, code, edit] of [
  ["a new object", "change.shape", (fields: Fields) => void (fields["name"] = { nested: true })],
  ["a deletion", "change.shape", (fields: Fields) => void delete fields["name"]],
  ["a whole column", "change.shape", (fields: Fields) => void (fields["priceSen"] = {})],
  ["a whole text", "change.shape", (fields: Fields) => void (fields["notes"] = "all new")],
  ["a whole counter", "change.shape", (fields: Fields) => void (fields["visitCount"] = 7)],
  ["a decrement", "change.shape", (fields: Fields) => (fields["visitCount"] as A.Counter).decrement(1)],
  ["another key", "doc.id", (fields: Fields) => void (fields["key"] = new A.ImmutableString("S-2"))],
  ["an unknown field", "change.schema", (fields: Fields) => void (fields["colour"] = 1)],
] as const) {
  test(`${what} is refused with ${code}`, () => {
    const read = readEdits("store", decodeEdit(edit));
    assert.ok(!read.ok && read.error.code === code, JSON.stringify(read));
  });
}

test("a rep may give a new outlet its territory, may not move it later, and may not touch the credit limit", () => {
  const territory = { field: "territory", row: null, does: "set", value: "KL-1" } as const;
  assert.equal(judgeEdit("store", { ...territory, empty: true }, "rep"), null);
  assert.equal(judgeEdit("store", { ...territory, empty: false }, "rep")?.code, "change.field");
  const limit = { field: "creditLimitSen", row: null, does: "set", value: 500_000, empty: true } as const;
  assert.equal(judgeEdit("store", limit, "rep")?.code, "change.field");
  assert.equal(judgeEdit("store", limit, "supervisor"), null);
  assert.equal(judgeEdit("store", { ...limit, value: -1 }, "hq")?.code, "change.schema");
});

test("a damaged chunk is found, and the good ones before it are kept", () => {
  const origin = originOf("demo", "plan", "R012/2026-W48");
  const bytes = concatBytes(...origin.changes);
  assert.deepEqual(
    readChunks(bytes).chunks.map((chunk) => chunk.hash),
    origin.hashes,
  );
  for (const [at, byte] of bytes.entries()) {
    const flipped = bytes.slice();
    flipped[at] = byte ^ 0x10;
    const read = readChunks(flipped);
    assert.ok(read.damage !== null, `byte ${at}`);
  }
  assert.equal(readChunks(bytes.slice(0, -1)).chunks.length, origin.changes.length - 1);
});
