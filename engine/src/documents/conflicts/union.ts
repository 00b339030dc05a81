import { decision, newestFirst, type ConflictRule } from "./rule.ts";

/** A member of a set that somebody added stays, also when somebody else took it away meanwhile. */
export const union: ConflictRule = {
  name: "union",
  decide: (candidates) =>
    decision(
      [...candidates].sort((a, b) => Number(b.value === true) - Number(a.value === true) || newestFirst(a, b)),
      { en: "what somebody added stays.", ms: "apa yang ditambah kekal." },
    ),
};
