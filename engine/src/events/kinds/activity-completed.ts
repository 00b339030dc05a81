import { z } from "zod";
import { defineKind } from "./kind.ts";

export const activityCompleted = defineKind({
  name: "activity.completed.v1",
  label: { en: "Activity", ms: "Aktiviti" },
  inVisit: true,
  body: z.strictObject({
    activity: z.enum(["merchandising", "collection", "stock-count", "training", "display", "other"]),
    minutes: z.int().min(0).max(1_440),
    note: z.string().max(1_000),
  }),
  golden: { activity: "merchandising", minutes: 12, note: "" },
});
