import { z } from "zod";
import { defineKind } from "./kind.ts";

export const checkOut = defineKind({
  name: "visit.checked-out.v1",
  label: { en: "Check-out", ms: "Daftar keluar" },
  inVisit: true,
  body: z.discriminatedUnion("outcome", [
    z.strictObject({ outcome: z.literal("ordered") }),
    z.strictObject({
      outcome: z.literal("no-order"),
      reason: z.enum(["stock-enough", "owner-absent", "price", "credit", "competitor", "other"]),
      note: z.string().max(1_000),
    }),
    z.strictObject({ outcome: z.literal("closed"), note: z.string().max(1_000) }),
    z.strictObject({ outcome: z.literal("skipped"), note: z.string().max(1_000) }),
  ]),
  golden: { outcome: "ordered" },
});
