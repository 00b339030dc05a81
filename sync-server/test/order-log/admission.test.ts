import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { sha256Hex, utf8ToBytes } from "@sampai/engine/core";
import { operations } from "../../src/database/operations.ts";
import { admit, admitHole, type AdmissionAnswer, type PlacedCandidate } from "../../src/order-log/admit.ts";
import { createDatabaseDevice } from "./database-device.ts";
import { createMemoryState } from "./memory-state.ts";

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

/** One of the places where the rules run: over maps, or in the database. */
interface Place {
  admit(event: PlacedCandidate): AdmissionAnswer;
  hole(hole: { run: string; seq: number; hash: string }): void;
  revoke(revoked: boolean): void;
  log(): { hash: string; hole: boolean; flags: readonly string[] }[];
}

function inMemory(): Place {
  const memory = createMemoryState();
  let revoked = false;
  return {
    admit: (event) => admit(memory.state, event, revoked),
    hole: (hole) => {
      if (!revoked) admitHole(memory.state, hole);
    },
    revoke: (now) => {
      revoked = now;
      if (!now) memory.rejudge();
    },
    log: () => memory.log,
  };
}

function inDatabase(): Place {
  const { tx, device, log } = createDatabaseDevice();
  return {
    admit: (event) => {
      const answer = operations.append(tx, { device, events: [event], via: "websocket", frameBytes: 1 });
      assert.ok("answers" in answer && answer.answers[0]);
      return answer.answers[0];
    },
    hole: (hole) => operations.hole(tx, { device, ...hole }),
    revoke: (revoked) => {
      if (revoked) operations.revoke(tx, { device, by: "test", reason: "" });
      else operations.unrevoke(tx, { device, by: "test" });
    },
    log,
  };
}

// The letters of the vectors are no readable events, so the database adds its own flag for that.
const chainFlags = (flags: readonly string[]) => flags.filter((flag) => flag === "late" || flag === "branch");

for (const [where, open] of [
  ["over maps", inMemory],
  ["in the database", inDatabase],
] as const) {
  for (const { title, steps, log, flags, heldTogether } of vectors.cases) {
    test(`admission ${where}: ${title}`, () => {
      const place = open();
      const flagsOf = (name: string) =>
        chainFlags(place.log().find(({ hash, hole }) => hash === hashOf(name) && !hole)?.flags ?? []);
      for (const step of steps) {
        if (step.revoke !== undefined) place.revoke(step.revoke);
        if (step.hole !== undefined) place.hole(candidate(step.hole));
        if (step.admit === undefined) continue;
        const answer = place.admit(candidate(step.admit));
        assert.equal(answer.answer, step.is, step.admit);
        if (answer.answer === "held") assert.equal(nameOf.get(answer.want), step.want);
        if (answer.answer === "quarantined") assert.equal(answer.code, step.code);
        if (step.flags !== undefined) assert.deepEqual(flagsOf(step.admit), step.flags);
      }
      const names = place.log().map(({ hash, hole }) => `${nameOf.get(hash)}${hole ? "*" : ""}`);
      if (log !== undefined) assert.deepEqual(names, log);
      for (const [name, wanted] of Object.entries(flags ?? {})) assert.deepEqual(flagsOf(name), wanted);
      const branches = (heldTogether ?? []).filter((name) => flagsOf(name).includes("branch"));
      assert.equal(branches.length, heldTogether === undefined ? 0 : 1);
    });
  }
}
