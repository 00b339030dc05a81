import { z } from "zod";
import { defineKind } from "./kind.ts";

export const dayClosed = defineKind({
  name: "day.closed.v1",
  label: { en: "Day closed", ms: "Hari ditutup" },
  inVisit: false,
  body: z.strictObject({
    /** The day in the workspace's zone. */
    day: z.iso.date(),
    /** How many events this device captured since its last close, this one not counted. */
    events: z.int().min(0),
    photos: z.int().min(0),
  }),
  golden: { day: "2026-11-24", events: 47, photos: 6 },
});
