import { field, type DocumentDefinition } from "./field.ts";

const row = { column: true } as const;

/** What rep and supervisor write about one visit. Its key is the visit id (its check-in's id). */
export const visitFields = {
  store: field("code", "Store", "Kedai", { rule: "authority", max: 200 }),
  rep: field("code", "Rep", "Wakil", { rule: "authority" }),
  territory: field("code", "Territory", "Wilayah", { rule: "authority" }),
  checkedInAt: field("time", "Checked in", "Daftar masuk", { rule: "min" }),
  state: field("enum", "State", "Keadaan", {
    rule: "monotone",
    monotone: true,
    options: [
      { value: "open", label: { en: "Open", ms: "Terbuka" } },
      { value: "done", label: { en: "Done", ms: "Selesai" } },
      { value: "reviewed", label: { en: "Reviewed", ms: "Disemak" } },
    ],
  }),
  outcome: field("enum", "Outcome", "Hasil", {
    options: [
      { value: "ordered", label: { en: "Ordered", ms: "Ada pesanan" } },
      { value: "no-order", label: { en: "No order", ms: "Tiada pesanan" } },
      { value: "closed", label: { en: "Closed", ms: "Tutup" } },
      { value: "skipped", label: { en: "Skipped", ms: "Dilangkau" } },
    ],
  }),
  followUpOn: field("date", "Follow up on", "Susulan pada"),
  /** 1 (poor) to 5 (excellent). */
  rating: field("integer", "Rating", "Penilaian", { min: 1, max: 5, rule: "authority", roles: ["supervisor", "hq"] }),
  tags: field("set", "Tags", "Tag"),
  /** Rows are comment ids; who wrote one and when stands in its change. */
  comments: field("words", "Comments", "Komen", { ...row, max: 2_000 }),
  /** Rows are photo ids. */
  captions: field("words", "Captions", "Kapsyen", { ...row, max: 300 }),
  notes: field("text", "Notes", "Catatan"),
} as const;

export const visitRecord: DocumentDefinition = {
  kind: "visit",
  label: { en: "Visit", ms: "Lawatan" },
  fields: visitFields,
  summary: ["store", "rep", "territory", "checkedInAt", "state", "outcome", "followUpOn", "rating"],
};
