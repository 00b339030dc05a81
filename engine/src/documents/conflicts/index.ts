import type { FieldDefinition, RuleName } from "../field.ts";
import { authority } from "./authority.ts";
import { counter } from "./counter.ts";
import { keepAll } from "./keep-all.ts";
import { latest } from "./latest.ts";
import { max } from "./max.ts";
import { min } from "./min.ts";
import { monotone } from "./monotone.ts";
import { newestFirst, who, type Candidate, type ConflictRule, type Decision } from "./rule.ts";
import { text } from "./text.ts";
import { union } from "./union.ts";

export type { Candidate, ConflictRule, Decision } from "./rule.ts";

/** Every conflict rule by name. A new one is a file here, a name in `field.ts`, and a line in this table. */
export const conflictRules: Readonly<Record<RuleName, ConflictRule>> = {
  latest,
  authority,
  max,
  min,
  union,
  counter,
  monotone,
  "keep-all": keepAll,
  text,
};

/** Settles a field. One candidate, or several that agree, is no conflict and asks no rule. */
export function settle(rule: RuleName, candidates: readonly Candidate[], field: FieldDefinition): Decision | null {
  const [first] = candidates;
  if (first === undefined) return null;
  if (candidates.some((candidate) => candidate.value !== first.value)) {
    return conflictRules[rule].decide(candidates, field);
  }
  const ranked = [...candidates].sort(newestFirst) as [Candidate, ...Candidate[]];
  const [en, ms] = [who(ranked, "en"), who(ranked, "ms")];
  const reason =
    en.length > 1
      ? { en: `${en.join(" and ")} wrote the same.`, ms: `${ms.join(" dan ")} menulis perkara yang sama.` }
      : { en: `${en.join("")} wrote it; nobody disagreed.`, ms: `${ms.join("")} menulisnya; tiada yang berbeza.` };
  return { winner: ranked[0], losers: [], reason, open: false };
}
