import { z } from "zod";
import { defineKind } from "./kind.ts";

export const attendanceEnded = defineKind({
  name: "attendance.ended.v1",
  label: { en: "Day ended", ms: "Hari tamat" },
  inVisit: false,
  body: z.strictObject({ odometerKm: z.number().min(0).max(2_000_000).nullable() }),
  golden: { odometerKm: 48_211 },
});
