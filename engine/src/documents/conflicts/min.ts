import { progress } from "../field.ts";
import { decision, newestFirst, type Candidate, type ConflictRule } from "./rule.ts";

/** The smallest number or the earliest date counts; *not known* loses against everything. */
export const min: ConflictRule = {
  name: "min",
  decide: (candidates, field) => {
    const size = (candidate: Candidate) => (candidate.value === null ? Infinity : progress(field, candidate.value));
    return decision(
      [...candidates].sort((a, b) => (size(a) === size(b) ? 0 : size(a) - size(b)) || newestFirst(a, b)),
      { en: "the smallest value counts.", ms: "nilai terkecil dikira." },
    );
  },
};
