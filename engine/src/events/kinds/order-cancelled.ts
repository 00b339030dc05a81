import { z } from "zod";
import { defineKind } from "./kind.ts";

export const orderCancelled = defineKind({
  name: "order.cancelled.v1",
  label: { en: "Order cancelled", ms: "Pesanan dibatalkan" },
  inVisit: true,
  body: z.strictObject({ order: z.uuid(), reason: z.string().min(1).max(1_000) }),
  golden: { order: "01936a5e-0000-7000-8000-000000000001", reason: "Entered at the wrong store" },
});
