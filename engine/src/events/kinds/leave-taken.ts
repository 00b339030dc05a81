import { z } from "zod";
import { defineKind } from "./kind.ts";

export const leaveTaken = defineKind({
  name: "leave.taken.v1",
  label: { en: "Leave", ms: "Cuti" },
  inVisit: false,
  body: z.strictObject({
    /** First and last day of the leave, in the workspace's zone. */
    from: z.iso.date(),
    to: z.iso.date(),
    type: z.enum(["annual", "medical", "emergency", "training"]),
    note: z.string().max(1_000),
  }),
  golden: { from: "2026-11-25", to: "2026-11-25", type: "medical", note: "" },
});
