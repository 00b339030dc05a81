import { field, type DocumentDefinition } from "./field.ts";

const row = { column: true } as const;

/** One rep's journey plan for one ISO week. Its key is `rep/week`, such as `R012/2026-W48`. */
export const planFields = {
  rep: field("code", "Rep", "Wakil", { rule: "authority" }),
  week: field("code", "Week", "Minggu", { rule: "authority", max: 8 }),
  territory: field("code", "Territory", "Wilayah", { rule: "authority" }),
  approved: field("boolean", "Approved", "Diluluskan", { rule: "authority", roles: ["supervisor", "hq"] }),
  /** Stops: rows are `day/number`, such as `2026-11-23/1`. */
  stopStore: field("code", "Store", "Kedai", { ...row, rule: "authority", max: 200 }),
  stopStatus: field("enum", "Status", "Status", {
    ...row,
    rule: "monotone",
    monotone: true,
    options: [
      { value: "planned", label: { en: "Planned", ms: "Dirancang" } },
      { value: "skipped", label: { en: "Skipped", ms: "Dilangkau" } },
      { value: "visited", label: { en: "Visited", ms: "Dilawati" } },
    ],
  }),
  stopNote: field("words", "Note", "Catatan", { ...row, max: 300 }),
  notes: field("text", "Notes", "Catatan"),
} as const;

export const journeyPlan: DocumentDefinition = {
  kind: "plan",
  label: { en: "Journey plan", ms: "Pelan perjalanan" },
  fields: planFields,
  summary: ["rep", "week", "territory", "approved"],
};
