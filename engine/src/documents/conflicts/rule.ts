import { msFromUtc } from "../../core/clock.ts";
import type { Authored } from "../documents.ts";
import type { FieldDefinition, Label, RuleName } from "../field.ts";

/** One of several values that people wrote without knowing of each other. */
export interface Candidate extends Authored {
  /** The author's name for sentences; his code where the pack does not know him. */
  readonly name: string;
  /** Automerge's operation id, `counter@actor`. */
  readonly op: string;
}

export interface Decision {
  readonly winner: Candidate;
  /** Those with another value than the winner's. */
  readonly losers: readonly Candidate[];
  /** A sentence for a person. */
  readonly reason: Label;
  /** True where only a person can decide; the winner stands in until then. */
  readonly open: boolean;
}

/**
 * How concurrent values are settled. Pure, total, and the same for any order of the candidates, so that every replica
 * with the same heads and the same pack sees the same value. `decide` gets two or more candidates that disagree.
 */
export interface ConflictRule {
  readonly name: RuleName;
  decide(candidates: readonly Candidate[], field: FieldDefinition): Decision;
}

/** Newest first; equal times fall back to the change's hash and the operation, so that no two replicas differ. */
export function newestFirst(a: Candidate, b: Candidate): number {
  return (
    msFromUtc(b.at) - msFromUtc(a.at) ||
    compare(b.change, a.change) ||
    compareOperations(b.op, a.op) ||
    compare(JSON.stringify(b.value), JSON.stringify(a.value))
  );
}

const roles: Readonly<Record<string, Label>> = {
  rep: { en: "rep", ms: "wakil jualan" },
  supervisor: { en: "supervisor", ms: "penyelia" },
  hq: { en: "HQ", ms: "ibu pejabat" },
};

/** Each author once, by name and role: `Siti (supervisor)`. */
export function who(candidates: readonly Candidate[], language: keyof Label): string[] {
  const named = candidates.map(({ name, role }) => {
    const known = Object.hasOwn(roles, role) ? roles[role] : undefined;
    return known === undefined ? name : `${name} (${known[language]})`;
  });
  return [...new Set(named)];
}

/** Puts the decision together: everybody whose value is not the winner's lost. `because` follows a colon. */
export function decision(ranked: readonly Candidate[], because: Label, open = false): Decision {
  const [winner, ...others] = ranked as readonly [Candidate, ...Candidate[]];
  const losers = others.filter((candidate) => candidate.value !== winner.value);
  const named = (all: readonly Candidate[], language: keyof Label) => who(all, language).join(", ");
  const reason = {
    en: `The value of ${named([winner], "en")} is kept over what ${named(losers, "en")} wrote: ${because.en}`,
    ms: `Nilai ${named([winner], "ms")} dikekalkan, bukan tulisan ${named(losers, "ms")}: ${because.ms}`,
  };
  return { winner, losers, reason, open };
}

function compareOperations(a: string, b: string): number {
  const [counterA = "", actorA = ""] = a.split("@");
  const [counterB = "", actorB = ""] = b.split("@");
  return Number(counterA) - Number(counterB) || compare(actorA, actorB);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
