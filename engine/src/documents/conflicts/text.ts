import { decision, newestFirst, type ConflictRule } from "./rule.ts";

/** Collaborative text merges by itself; two whole texts exist only where somebody broke the shape. */
export const text: ConflictRule = {
  name: "text",
  decide: (candidates) =>
    decision([...candidates].sort(newestFirst), {
      en: "the later text stands; edits inside one merge.",
      ms: "teks terkini kekal; suntingan di dalamnya bergabung.",
    }),
};
