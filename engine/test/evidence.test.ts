import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createMemoryStorage, openEvidence } from "../src/index.ts";
import { bytesToHex, utf8ToBytes } from "../src/core/hash.ts";
import {
  checkpointText,
  consistencyProof,
  leafHash,
  logOrigin,
  nodeHash,
  noteText,
  rangeHash,
  verifierOf,
} from "../src/proof/index.ts";
import type { ClaimedMessage } from "../src/wire/index.ts";
import { crypto } from "./simulated-phone.ts";

const root = await crypto.generateKeyPair();
const identity = { workspace: "w-1", rootKey: bytesToHex(root.publicKey) };
const FIRST = "1:aaaa";
const SECOND = "2:bbbb";

/** A log by its leaves' names: two that share a beginning share its hashes. */
function logOf(leaves: readonly string[]) {
  const subtree = (level: number, index: number): Uint8Array =>
    level === 0
      ? leafHash(utf8ToBytes(leaves[index] ?? ""))
      : nodeHash(subtree(level - 1, index * 2), subtree(level - 1, index * 2 + 1));
  return { size: leaves.length, subtree };
}
type Log = ReturnType<typeof logOf>;
const named = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix} ${index}`);

async function checkpointOf(log: Log, term: string, key = root, workspace = identity.workspace): Promise<string> {
  const text = checkpointText({
    origin: logOrigin(workspace, term),
    size: log.size,
    root: rangeHash(0, log.size, log.subtree),
  });
  const signature = await crypto.sign(utf8ToBytes(text), key.secretKey);
  return noteText(text, verifierOf({ id: workspace, rootKey: bytesToHex(key.publicKey) }), signature);
}

async function answer(
  log: Log,
  from: { term: string; size: number } | null,
  more: Partial<ClaimedMessage> = {},
): Promise<ClaimedMessage> {
  const term = more.term ?? FIRST;
  return {
    type: "claimed",
    n: 1,
    term,
    at: "2026-11-25T02:00:00.000Z",
    tips: [],
    wants: [],
    holes: [],
    give: [],
    head: log.size,
    pack: null,
    terms: [{ term: FIRST, start: 0, end: null }],
    checkpoint: {
      note: await checkpointOf(log, term),
      from,
      consistency: from === null ? [] : consistencyProof(from.size, log.size, log.subtree),
    },
    ...more,
  };
}

async function keeper(storage = createMemoryStorage()) {
  return { storage, evidence: await openEvidence({ storage, crypto, identity }) };
}

test("a verified checkpoint is durable, and the next one must go on from it", async () => {
  const { storage, evidence } = await keeper();
  assert.ok((await evidence.judge(await answer(logOf(named("a", 5)), null))).ok);
  const again = await keeper(storage);
  assert.deepEqual(again.evidence.standing(), { term: FIRST, size: 5, at: "2026-11-25T02:00:00.000Z" });
  const longer = logOf(named("a", 9));
  assert.ok((await again.evidence.judge(await answer(longer, { term: FIRST, size: 5 }))).ok);
  assert.equal(again.evidence.standing()?.size, 9);
  assert.deepEqual(again.evidence.shown().checkpoints, [await checkpointOf(longer, FIRST)]);
});

test("a checkpoint over a rewritten or a shorter log is refused and the one before stays", async () => {
  const { evidence } = await keeper();
  const from = { term: FIRST, size: 5 };
  await evidence.judge(await answer(logOf(named("a", 5)), null));
  const rewritten = [...named("b", 1), ...named("a", 8)];
  const cases = {
    rewritten: await answer(logOf(rewritten), from),
    shorter: await answer(logOf(named("a", 3)), null),
    unproved: await answer(logOf(named("a", 9)), null),
  };
  for (const [name, claimed] of Object.entries(cases)) {
    const verdict = await evidence.judge(claimed);
    assert.ok(!verdict.ok && verdict.error.code === "checkpoint.inconsistent", name);
    assert.equal(evidence.refusal()?.code, "checkpoint.inconsistent");
    assert.equal(evidence.standing()?.size, 5);
  }
  assert.ok((await evidence.judge(await answer(logOf(named("a", 9)), from))).ok);
  assert.equal(evidence.refusal(), null);
});

test("a checkpoint that the root key did not sign for this workspace is refused", async () => {
  const { evidence } = await keeper();
  const log = logOf(named("a", 5));
  const stranger = await crypto.generateKeyPair();
  for (const note of [
    await checkpointOf(log, FIRST, stranger),
    await checkpointOf(log, FIRST, root, "w-2"),
    (await checkpointOf(log, FIRST)).replace("\n5\n", "\n6\n"),
    "nonsense",
  ]) {
    const claimed = await answer(log, null, { checkpoint: { note, from: null, consistency: [] } });
    const verdict = await evidence.judge(claimed);
    assert.ok(!verdict.ok && verdict.error.code === "checkpoint.unsigned");
  }
  assert.equal(evidence.standing(), null);
});

test("after a restore the new term goes on from what its log still holds, and the promise of the old term is kept as evidence", async () => {
  const { evidence } = await keeper();
  const old = logOf(named("a", 8));
  await evidence.judge(await answer(old, null));
  const restored = logOf([...named("a", 4), ...named("c", 6)]);
  const terms = [
    { term: FIRST, start: 0, end: 4 },
    { term: SECOND, start: 4, end: null },
  ];
  // The copy's own checkpoint is of the ended term: it says nothing yet.
  const stale = await checkpointOf(logOf(named("a", 4)), FIRST);
  const first = { term: SECOND, terms, checkpoint: { note: stale, from: null, consistency: [] } };
  assert.deepEqual(await evidence.judge(await answer(restored, null, first)), { ok: true, value: null });
  assert.ok((await evidence.judge(await answer(restored, null, { term: SECOND, terms }))).ok);
  assert.equal(evidence.shown().checkpoints.length, 2);
  assert.ok(evidence.shown().checkpoints.includes(await checkpointOf(old, FIRST)));

  // Had the old log been kept up to 8, the new one would have to go on from it.
  const held = [
    { term: FIRST, start: 0, end: 8 },
    { term: SECOND, start: 8, end: null },
  ];
  const other = await keeper();
  await other.evidence.judge(await answer(old, null));
  const verdict = await other.evidence.judge(await answer(restored, null, { term: SECOND, terms: held }));
  assert.ok(!verdict.ok && verdict.error.code === "checkpoint.inconsistent");
});

test("for any two sizes the honest proof is believed, and one changed bit of it is not", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(),
      async (a, grown, at) => {
        const { evidence } = await keeper();
        await evidence.judge(await answer(logOf(named("a", a)), null));
        const log = logOf(named("a", a + grown));
        const honest = await answer(log, { term: FIRST, size: a });
        const proof = (honest.checkpoint?.consistency ?? []).map((hash) => hash.slice());
        const bent = proof[at % Math.max(1, proof.length)];
        if (bent !== undefined && honest.checkpoint !== undefined) {
          bent.set([(bent.at(at % 32) ?? 0) ^ (1 << (at % 8))], at % 32);
          const verdict = await evidence.judge({ ...honest, checkpoint: { ...honest.checkpoint, consistency: proof } });
          assert.ok(!verdict.ok);
        }
        assert.ok((await evidence.judge(honest)).ok);
      },
    ),
    { numRuns: 60, seed: 5 },
  );
});

test("only the highest promise of each term is kept, and the newest twenty terms", async () => {
  const { storage, evidence } = await keeper();
  const mac = "0".repeat(64);
  for (let number = 1; number <= 25; number += 1) {
    for (const size of [7, 9, 8]) {
      const writes = evidence.promised({ term: `${number}:x`, start: "0".repeat(16), size, mac });
      if (writes.length > 0) await storage.commit(writes);
    }
  }
  const { promises } = (await keeper(storage)).evidence.shown();
  assert.deepEqual([promises.length, promises[0]?.term, promises.at(-1)?.size], [20, "6:x", 9]);
});
