import { z } from "zod";
import { orderLineSchema } from "../order-lines.ts";
import { defineKind } from "./kind.ts";

/** Nobody edits an order: an amendment is a new event that names the old one and states all lines anew. */
export const orderAmended = defineKind({
  name: "order.amended.v1",
  label: { en: "Order amended", ms: "Pesanan dipinda" },
  inVisit: true,
  body: z.strictObject({
    order: z.uuid(),
    lines: z.array(orderLineSchema).min(1).max(200),
    totalSen: z.int().min(0),
    reason: z.string().max(1_000),
  }),
  golden: {
    order: "01936a5e-0000-7000-8000-000000000001",
    lines: [{ sku: "1047", quantity: 10, unit: "1kg", unitPriceSen: 1_290, scheme: null }],
    totalSen: 12_900,
    reason: "Two fewer",
  },
});
