import assert from "node:assert/strict";
import { generateKeyPairSync, sign, verify as verifyByNode } from "node:crypto";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { isPublicKey, isSignedBy } from "../../src/signatures/ed25519.ts";
import { startVerifier, type Verifier } from "../../src/signatures/verifier.ts";

// RFC 8032, section 7.1.
const published = [
  {
    key: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    key: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
  {
    key: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature:
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  },
].map(({ key, message, signature }) => ({
  key,
  message: Buffer.from(message, "hex"),
  signature: Buffer.from(signature, "hex"),
}));

const makeKey = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  return { privateKey, publicKey, hex: Buffer.from(x, "base64url").toString("hex") };
};
const own = makeKey();
const broken: string[] = [];
let verifier: Verifier;
before(() => {
  verifier = startVerifier((reason) => broken.push(reason));
});
after(async () => {
  await verifier.close();
  assert.deepEqual(broken, []);
});

test("the signatures that RFC 8032 publishes verify, here and in the thread, and under no other key or message", async () => {
  for (const { key, message, signature } of published) {
    assert.equal(isSignedBy(key, message, signature), true);
    assert.equal(await verifier.verify(signature, message, key), true);
    assert.equal(isSignedBy(own.hex, message, signature), false);
    assert.equal(await verifier.verify(signature, Buffer.concat([message, Buffer.of(0)]), key), false);
  }
});

test("a signature whose number was raised by the group's order is refused: one message has one signature", () => {
  const order = (1n << 252n) + 27742317777372353535851937790883648493n;
  for (const { key, message, signature } of published) {
    const scalar = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString("hex")}`) + order;
    const raised = Buffer.from(scalar.toString(16).padStart(64, "0"), "hex").reverse();
    assert.equal(isSignedBy(key, message, Buffer.concat([signature.subarray(0, 32), raised])), false);
  }
});

test("what is no key and what is no signature is answered false, not thrown", async () => {
  const [{ message, signature }] = published as [(typeof published)[0]];
  for (const key of ["", "00".repeat(31), "zz".repeat(32), "00".repeat(32), "ff".repeat(32)]) {
    assert.equal(isSignedBy(key, message, signature), false);
    assert.equal(await verifier.verify(signature, message, key), false);
  }
  for (const bytes of [0, 63, 65, 200]) {
    assert.equal(isSignedBy(own.hex, message, Buffer.alloc(bytes)), false);
    assert.equal(await verifier.verify(Buffer.alloc(bytes), message, own.hex), false);
  }
  assert.equal(isPublicKey(own.hex), true);
  assert.equal(isPublicKey(own.hex.slice(2)), false);
});

test("whatever is asked at once is answered each for itself and in order, as Node's own library answers it", async () => {
  const asked = fc.array(fc.record({ message: fc.uint8Array({ maxLength: 300 }), flip: fc.nat({ max: 200 }) }), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(asked, async (all) => {
      const order: number[] = [];
      const answers = await Promise.all(
        all.map(async ({ message, flip }, index) => {
          const signature = sign(null, message, own.privateKey);
          // Two of three are left whole.
          if (flip < 64) signature[flip] = (signature[flip] as number) ^ 1;
          const valid = await verifier.verify(signature, message, own.hex);
          order.push(index);
          return { valid, byNode: verifyByNode(null, message, own.publicKey, signature) };
        }),
      );
      for (const { valid, byNode } of answers) assert.equal(valid, byNode);
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      );
    }),
    { numRuns: 30 },
  );
});

test("what was asked before the close is answered", async () => {
  const closing = startVerifier((reason) => broken.push(reason));
  const [{ key, message, signature }] = published as [(typeof published)[0]];
  const answers = Promise.all(Array.from({ length: 20 }, () => closing.verify(signature, message, key)));
  await closing.close();
  assert.deepEqual(new Set(await answers), new Set([true]));
});
