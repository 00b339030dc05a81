import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { schemaBytes } from "../src/documents/schema-bytes.ts";

test("the published vector of constant changes is what documents really begin with", () => {
  const vector = path.join(import.meta.dirname, "../../conformance/vectors/genesis.json");
  assert.deepEqual(JSON.parse(readFileSync(vector, "utf8")), schemaBytes);
});
