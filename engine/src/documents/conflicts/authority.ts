import { decision, newestFirst, type Candidate, type ConflictRule } from "./rule.ts";

const HIGHER = {
  en: "the higher role counts, whoever wrote later.",
  ms: "peranan yang lebih tinggi dikira, walau siapa pun menulis kemudian.",
};
const LATER = {
  en: "both have the same standing, so the later edit counts.",
  ms: "kedudukan mereka sama, jadi suntingan terkini dikira.",
};

/** Supervisors and HQ over reps, reps over authors whose role is not known; among equals the newest edit counts. */
export const authority: ConflictRule = {
  name: "authority",
  decide: (candidates) => {
    const ranked = [...candidates].sort((a, b) => rank(b) - rank(a) || newestFirst(a, b));
    const [winner, ...others] = ranked as [Candidate, ...Candidate[]];
    const outranked = others.some((other) => other.value !== winner.value && rank(other) < rank(winner));
    return decision(ranked, outranked ? HIGHER : LATER);
  },
};

function rank(candidate: Candidate): number {
  if (candidate.role === "supervisor" || candidate.role === "hq") return 2;
  return candidate.role === "rep" ? 1 : 0;
}
