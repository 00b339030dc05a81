import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStorage, openAttempts, openEvidence, openMeter, openOutbox, openOwnEvents } from "../src/index.ts";
import { createNodeCrypto } from "../adapters/node-crypto.ts";
import { buildClaim } from "../src/sync/claim.ts";
import { claimSchema, limits } from "../src/wire/index.ts";
import { identity } from "./simulated-phone.ts";
import { createSimulatedTime } from "./simulated-time.ts";

test("a claim never outgrows its limit: lists are cut short, counts and tips are not", async () => {
  const storage = createMemoryStorage();
  const clock = createSimulatedTime().clock("boot");
  const attempts = await openAttempts(storage, () => {});
  for (let count = 0; count < 100; count += 1)
    attempts.note({
      at: "2026-11-23T01:00:00.000Z",
      lane: "photos",
      item: "x".repeat(200),
      bytes: 1,
      outcome: "failed",
      tookMs: 1,
    });
  const outbox = await openOutbox(storage, clock);
  for (let seq = 1; seq <= 300; seq += 1) {
    const hash = String(seq).padStart(64, "0");
    outbox.owes({ run: "0123456789abcdef", seq, prev: null, hash, order: true, at: "2026-11-23T01:00:00.000Z" });
  }
  const owed = { visit: null, sha256: "ab".repeat(32), bytes: 1, preview: false };
  const { bytes, lastAttempt } = buildClaim(
    {
      identity,
      app: "test",
      evidence: await openEvidence({ storage, crypto: createNodeCrypto(), identity }),
      events: await openOwnEvents(storage, clock),
      outbox,
      attempts,
      meter: await openMeter({ storage, day: () => "2026-11-23", network: () => "wifi", changed: () => {} }),
      damage: [
        { where: "a", reason: "checksum", bytes: 1 },
        { where: "b", reason: "unfinished", bytes: 1 },
      ],
      elsewhere: () => ({
        dirty: Array.from({ length: 3_000 }, (_, index) => `document-${String(index).padStart(20, "0")}`),
        cursor: null,
        pack: null,
        photos: 1_000,
        photoBytes: 1_000,
        photosOwed: Array.from({ length: 1_000 }, (_, index) => ({
          id: `01936a5e-0000-7000-8000-${String(index).padStart(12, "0")}`,
          ...owed,
        })),
      }),
    },
    { at: "2026-11-23T01:00:00.000Z", onTheWay: [], voided: [], attempts: 100 },
  );
  assert.ok(bytes.length <= limits.claimBytes);
  const claim = claimSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  assert.equal(claim.tips.length, 300);
  assert.deepEqual([claim.queue.photos, claim.queue.documents, claim.queue.orders], [1_000, 3_000, 300]);
  assert.equal(claim.damaged, 1, "a write that was never answered is no damage");
  assert.ok(claim.photosOwed.length > 0 && claim.photosOwed.length < 1_000);
  assert.equal(lastAttempt, claim.attempts.at(-1)?.number ?? 0);
});
