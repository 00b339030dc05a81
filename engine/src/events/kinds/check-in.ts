import { z } from "zod";
import { defineKind } from "./kind.ts";

/** Its id is the visit's id. */
export const checkIn = defineKind({
  name: "visit.checked-in.v1",
  label: { en: "Check-in", ms: "Daftar masuk" },
  inVisit: true,
  body: z.strictObject({
    /** The plan stop that this visit serves, null for an unplanned one. */
    plan: z.string().max(80).nullable(),
  }),
  golden: { plan: "R012/2026-W48/2/3" },
});
