import { z } from "zod";
import { defineKind } from "./kind.ts";

export const attendanceStarted = defineKind({
  name: "attendance.started.v1",
  label: { en: "Day started", ms: "Hari bermula" },
  inVisit: false,
  body: z.strictObject({ odometerKm: z.number().min(0).max(2_000_000).nullable() }),
  golden: { odometerKm: null },
});
