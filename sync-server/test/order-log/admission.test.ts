import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import type { PlacedCandidate } from "../../src/order-log/admit.ts";
import { appendBatch, declareHole } from "../../src/order-log/append-batch.ts";
import { transactionPlaces } from "./transaction-places.ts";

interface Vectors {
  readonly events: Readonly<Record<string, { run: string; seq: number; prev: string | null }>>;
  readonly cases: readonly {
    readonly title: string;
    readonly steps: readonly Step[];
    readonly log?: readonly string[];
    readonly flags?: Readonly<Record<string, readonly string[]>>;
    /** These two were released together, in either order: the second is a branch. */
    readonly heldTogether?: readonly string[];
  }[];
}
interface Step {
  readonly admit?: string;
  readonly is?: string;
  readonly want?: string;
  readonly code?: string;
  readonly flags?: readonly string[];
  readonly hole?: string;
  readonly revoke?: boolean;
}

const file = new URL("../../../conformance/vectors/admission.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;
const hashOf = (name: string) => sha256Hex(utf8ToBytes(name));
const nameOf = new Map(Object.keys(vectors.events).map((name) => [hashOf(name), name]));

function candidate(name: string): PlacedCandidate {
  const event = vectors.events[name];
  assert.ok(event, name);
  const { run, seq, prev } = event;
  return { run, seq, prev: prev === null ? null : hashOf(prev), hash: hashOf(name), bytes: utf8ToBytes(name) };
}

// The letters of the vectors are no readable events, so the log adds its own flag for that.
const chainFlags = (flags: readonly string[]) => flags.filter((flag) => flag === "late" || flag === "branch");

for (const [where, open] of transactionPlaces) {
  for (const { title, steps, log, flags, heldTogether } of vectors.cases) {
    test(`admission ${where}: ${title}`, () => {
      const place = open();
      const { transaction } = place;
      const flagsOf = (name: string) =>
        chainFlags(place.leaves().find(({ hash, hole }) => hash === hashOf(name) && !hole)?.flags ?? []);
      for (const step of steps) {
        if (step.revoke !== undefined) place.setRevoked(step.revoke);
        if (step.hole !== undefined) declareHole(transaction, { device: "d1", ...candidate(step.hole) });
        if (step.admit === undefined) continue;
        const events = [candidate(step.admit)];
        const appended = appendBatch(transaction, { device: "d1", events, via: "websocket" });
        assert.ok("answers" in appended && appended.answers[0]);
        const [answer] = appended.answers;
        assert.equal(answer.answer, step.is, step.admit);
        if (answer.answer === "held") assert.equal(nameOf.get(answer.want), step.want);
        if (answer.answer === "quarantined") assert.equal(answer.code, step.code);
        if (step.flags !== undefined) assert.deepEqual(flagsOf(step.admit), step.flags);
      }
      const names = place.leaves().map(({ hash, hole }) => `${nameOf.get(hash)}${hole ? "*" : ""}`);
      if (log !== undefined) assert.deepEqual(names, log);
      for (const [name, wanted] of Object.entries(flags ?? {})) assert.deepEqual(flagsOf(name), wanted);
      const branches = (heldTogether ?? []).filter((name) => flagsOf(name).includes("branch"));
      assert.equal(branches.length, heldTogether === undefined ? 0 : 1);
    });
  }
}
