import * as A from "@automerge/automerge/slim";
import { startAutomerge } from "@sampai/engine/adapters/automerge";
import { limits } from "@sampai/engine/wire";
import fc from "fast-check";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { changedKeys, readChunks, soundChunks } from "../../src/documents/change-header.ts";
import { changeChunk, chunk } from "./forged-changes.ts";

await startAutomerge();

interface Doc {
  [key: string]: unknown;
}

function oneHeader(bytes: Uint8Array) {
  const read = readChunks(bytes);
  assert.ok(read.ok, read.ok ? "" : JSON.stringify(read.error));
  assert.equal(read.value.chunks.length, 1);
  const [only] = read.value.chunks;
  assert.ok(only?.type === "change");
  return only.header;
}

/** Reads the length that stands behind magic, checksum and type. */
function bodyLength(bytes: Uint8Array): number {
  let length = 0;
  for (let at = 9, scale = 1; ; at += 1, scale *= 128) {
    const byte = bytes[at] ?? 0;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) return length;
  }
}

test("the header of any change, and the keys that it writes, are what Automerge reads from it", () => {
  const edit = fc.record({
    key: fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== "__proto__"),
    text: fc.string({ maxLength: 400, unit: "grapheme" }),
    number: fc.integer(),
    fork: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 12 }), fc.string(), (edits, message) => {
      let doc = A.change(A.init<Doc>(), { time: 0 }, (draft) => {
        draft["notes"] = "";
      });
      let other = A.clone(doc);
      for (const { key, text, number, fork } of edits) {
        const mine = A.change(fork ? other : doc, { time: 1_700_000_000_123 + number, message }, (draft) => {
          draft[`k${key}`] = new A.ImmutableString(text);
          draft[`n${key}`] = number;
          A.splice(draft, ["notes"], 0, 0, text);
        });
        if (fork) other = mine;
        else doc = mine;
      }
      doc = A.merge(doc, other);
      doc = A.change(doc, { time: 5 }, (draft) => {
        draft["last"] = true;
      });
      for (const bytes of A.getAllChanges(doc)) {
        const header = oneHeader(bytes);
        const decoded = A.decodeChange(bytes);
        assert.equal(header.hash, decoded.hash);
        assert.deepEqual(header.deps, decoded.deps);
        assert.equal(header.actor, decoded.actor);
        assert.equal(header.seq, decoded.seq);
        assert.equal(header.startOp, decoded.startOp);
        assert.equal(header.time, decoded.time);
        assert.equal(header.message, decoded.message ?? "");
        assert.equal(header.operations, decoded.ops.length);
        const keys = decoded.ops.flatMap((op) => ("elemId" in op ? [] : [op.key]));
        assert.deepEqual(changedKeys(bytes), new Set(keys));
      }
    }),
    { numRuns: 60 },
  );
});

test("a compressed change is read like the plain one, and has its name", () => {
  const doc = A.change(A.init<Doc>(), { time: 0 }, (draft) => {
    for (let row = 0; row < 500; row += 1) draft[`row${row}`] = row;
  });
  const plain = A.getLastLocalChange(doc);
  assert.ok(plain);
  const body = plain.subarray(plain.length - bodyLength(plain));
  const compressed = chunk(2, deflateRawSync(body));
  compressed.set(plain.subarray(4, 8), 4);
  assert.ok(compressed.length < plain.length);
  assert.equal(A.decodeChange(compressed).hash, A.decodeChange(plain).hash);
  assert.deepEqual({ ...oneHeader(compressed), bytes: null }, { ...oneHeader(plain), bytes: null });
});

test("chunks that follow each other are read one by one, a document among them", () => {
  let doc = A.change(A.init<Doc>(), (draft) => {
    draft["a"] = 1;
  });
  doc = A.change(doc, (draft) => {
    draft["a"] = 2;
  });
  const read = readChunks(Buffer.concat([...A.getAllChanges(doc), A.save(doc)]));
  assert.ok(read.ok);
  assert.deepEqual(
    read.value.chunks.map(({ type }) => type),
    ["change", "change", "document"],
  );
});

test("a run-length bomb of some 100 bytes is counted, not unfolded", () => {
  const bomb = changeChunk({ operations: 400_000 });
  assert.ok(bomb.length < 120);
  const read = readChunks(bomb);
  assert.ok(read.ok);
  assert.equal(read.value.chunks.length, 0);
  assert.equal(read.value.refused[0]?.refusal.code, "change.operations");
  assert.equal(read.value.refused[0]?.hash, createHash("sha256").update(bomb.subarray(8)).digest("hex"));
});

test("a single operation that claims 400,000 predecessors is refused", () => {
  const read = readChunks(changeChunk({ operations: 1, predecessors: 400_000 }));
  assert.ok(read.ok);
  assert.equal(read.value.refused[0]?.refusal.code, "change.operations");
});

test("a long key claimed by every operation is refused", () => {
  const read = readChunks(changeChunk({ operations: 10_000, key: "k".repeat(10_000) }));
  assert.ok(read.ok);
  assert.equal(read.value.refused[0]?.refusal.code, "change.operations");
});

test("a DEFLATE bomb is inflated no further than the limit", () => {
  const bomb = chunk(2, deflateRawSync(Buffer.alloc(60_000_000)));
  assert.ok(bomb.length < limits.changeBytes);
  const read = readChunks(bomb);
  assert.ok(!read.ok);
  assert.equal(read.error.code, "change.oversized");
});

test("bytes that are cut or flipped anywhere are refused and never thrown", () => {
  const doc = A.change(A.init<Doc>(), { time: 0, message: "m" }, (draft) => {
    draft["name"] = new A.ImmutableString("Kedai Ah Seng");
    draft["price"] = 120;
  });
  const bytes: Uint8Array | undefined = A.getLastLocalChange(doc);
  assert.ok(bytes);
  for (let length = 1; length < bytes.length; length += 1) {
    const read = readChunks(bytes.subarray(0, length));
    assert.equal(read.ok, false);
  }
  for (let at = 0; at < bytes.length; at += 1) {
    for (const bit of [1, 0x80]) {
      const flipped: Uint8Array = new Uint8Array(bytes);
      flipped.set([Number(bytes[at]) ^ bit], at);
      assert.equal(soundChunks(flipped), false, `byte ${at}`);
    }
  }
  assert.equal(soundChunks(bytes), true);
});

test("random bytes behind a true checksum are refused and never thrown", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(0, 1, 2, 3, 9), (body, type) => {
      readChunks(chunk(type, body));
    }),
    { numRuns: 2_000 },
  );
});
