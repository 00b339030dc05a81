import { z } from "zod";
import { defineKind } from "./kind.ts";

export const auditSubmitted = defineKind({
  name: "audit.submitted.v1",
  label: { en: "Shelf audit", ms: "Audit rak" },
  inVisit: true,
  body: z.strictObject({
    /** The form in the reference pack and its version. */
    form: z.string().max(60),
    version: z.int().min(1),
    /** Question id → answer. Numbers are integers in the question's unit. */
    answers: z.record(z.string().max(60), z.union([z.string().max(1_000), z.int(), z.boolean(), z.null()])),
  }),
  golden: { form: "shelf", version: 1, answers: { facings: 8, outOfStock: false, planogram: true, remark: "" } },
});
