import { decision, newestFirst, type ConflictRule } from "./rule.ts";

/** Increments add up in the document itself; two whole counters exist only where somebody broke the shape. */
export const counter: ConflictRule = {
  name: "counter",
  decide: (candidates) =>
    decision([...candidates].sort(newestFirst), {
      en: "the later counter stands; increments add up.",
      ms: "kiraan terkini kekal; tambahan dijumlahkan.",
    }),
};
