import { decision, newestFirst, type ConflictRule } from "./rule.ts";

/** The newest edit counts, whoever made it. */
export const latest: ConflictRule = {
  name: "latest",
  decide: (candidates) =>
    decision([...candidates].sort(newestFirst), { en: "the later edit counts.", ms: "suntingan terkini dikira." }),
};
