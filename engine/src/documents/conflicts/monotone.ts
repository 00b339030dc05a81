import { progress } from "../field.ts";
import { decision, newestFirst, type ConflictRule } from "./rule.ts";

/** What has gone further counts: the value never goes back. The gate holds single edits to the same. */
export const monotone: ConflictRule = {
  name: "monotone",
  decide: (candidates, field) =>
    decision(
      [...candidates].sort((a, b) => {
        const [far, near] = [progress(field, b.value), progress(field, a.value)];
        return (far === near ? 0 : far - near) || newestFirst(a, b);
      }),
      { en: "this field never goes back.", ms: "medan ini tidak pernah undur." },
    ),
};
