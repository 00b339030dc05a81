import { progress } from "../field.ts";
import { decision, newestFirst, type ConflictRule } from "./rule.ts";

/** The largest number or the latest date counts; *not known* loses against everything. */
export const max: ConflictRule = {
  name: "max",
  decide: (candidates, field) =>
    decision(
      [...candidates].sort((a, b) => order(progress(field, b.value), progress(field, a.value)) || newestFirst(a, b)),
      { en: "the largest value counts.", ms: "nilai terbesar dikira." },
    ),
};

// Subtraction would make NaN of two infinities.
const order = (a: number, b: number): number => (a === b ? 0 : a - b);
