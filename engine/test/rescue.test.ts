import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readRescueFile, writeRescueFile, type RescueContent } from "../src/index.ts";
import { bytesToHex, sha256Hex, utf8ToBytes } from "../src/core/hash.ts";
import { certificateMessage } from "../src/wire/index.ts";
import { seeded } from "./seeded.ts";
import { crypto } from "./simulated-phone.ts";

const root = await crypto.generateKeyPair();
const device = await crypto.generateKeyPair();
const workspace = { id: "w-1", rootKey: bytesToHex(root.publicKey), rootSeed: root.secretKey };
const random = seeded(7);
const fresh = (length: number) => Uint8Array.from({ length }, () => random.below(256));

async function contentOf(change: Partial<RescueContent> = {}): Promise<RescueContent> {
  const certificate = JSON.stringify({
    v: 1,
    workspace: "w-1",
    device: "0123456789abcdef",
    publicKey: bytesToHex(device.publicKey),
    rep: "R001",
    role: "rep",
    issuedAt: "2026-11-25T02:00:00.000Z",
  });
  const signed = await crypto.sign(certificateMessage(sha256Hex(utf8ToBytes(certificate))), root.secretKey);
  return {
    v: 1,
    workspace: "w-1",
    device: "0123456789abcdef",
    madeAt: "2026-11-25T02:00:00.000Z",
    certificate,
    certificateSignature: bytesToHex(signed),
    batches: [
      {
        run: "0123456789abcdef",
        events: [{ seq: 1, prev: null, bytes: utf8ToBytes("event") }],
        signature: new Uint8Array(64),
      },
    ],
    documents: [{ doc: "d", kind: "store", key: "S-1", bytes: utf8ToBytes("change") }],
    photos: [{ id: "p", sha256: "ab", bytes: 3 }],
    ...change,
  };
}
const write = async (content: RescueContent, secretKey = device.secretKey) =>
  writeRescueFile(content, { secretKey, rootKey: workspace.rootKey, crypto }, fresh);

test("what a phone seals for its workspace, the workspace opens as it was", async () => {
  const content = await contentOf();
  const opened = await readRescueFile(await write(content), workspace, crypto);
  assert.ok(opened.ok);
  assert.deepEqual(JSON.stringify(opened.value.content), JSON.stringify(content));
  assert.equal(opened.value.certificate.rep, "R001");
});

test("a rescue file with any one bit changed, or cut anywhere, is refused and never half read", async () => {
  const file = await write(await contentOf());
  const codes = new Set<string>();
  const refused = async (bytes: Uint8Array) => {
    const opened = await readRescueFile(bytes, workspace, crypto);
    assert.ok(!opened.ok);
    codes.add(opened.error.code);
  };
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: file.length - 1 }), fc.nat({ max: 7 }), async (at, bit) => {
      const bent = file.slice();
      bent.set([(bent.at(at) ?? 0) ^ (1 << bit)], at);
      await refused(bent);
      await refused(file.slice(0, at));
    }),
    { numRuns: 400, seed: 3 },
  );
  assert.ok(
    [...codes].every((code) => code.startsWith("rescue.")),
    [...codes].join(),
  );
});

test("only the workspace that it was sealed for can open a rescue file, also under a false name", async () => {
  const file = await write(await contentOf());
  const other = await crypto.generateKeyPair();
  const stranger = { id: "w-1", rootKey: bytesToHex(other.publicKey), rootSeed: other.secretKey };
  const opened = await readRescueFile(file, stranger, crypto);
  assert.ok(!opened.ok && opened.error.code === "rescue.sealed");
  const elsewhere = await readRescueFile(file, { ...workspace, id: "w-2" }, crypto);
  assert.ok(!elsewhere.ok && elsewhere.error.code === "rescue.workspace");
});

test("a rescue file that another key signed, or whose certificate the workspace did not, is refused", async () => {
  const other = await crypto.generateKeyPair();
  const notTheDevice = await readRescueFile(await write(await contentOf(), other.secretKey), workspace, crypto);
  assert.ok(!notTheDevice.ok && notTheDevice.error.code === "rescue.signature");
  const content = await contentOf();
  const forged = { ...content, certificate: content.certificate.replace("R001", "S001") };
  const notTheWorkspace = await readRescueFile(await write(forged), workspace, crypto);
  assert.ok(!notTheWorkspace.ok && notTheWorkspace.error.code === "rescue.signature");
});
