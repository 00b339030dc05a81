import { decision, newestFirst, type ConflictRule } from "./rule.ts";

/** Every value is kept and a person is asked; until then the newest one is shown. */
export const keepAll: ConflictRule = {
  name: "keep-all",
  decide: (candidates) =>
    decision(
      [...candidates].sort(newestFirst),
      {
        en: "a person must decide; the later edit is shown until then.",
        ms: "seseorang perlu memutuskan; sementara itu suntingan terkini dipaparkan.",
      },
      true,
    ),
};
