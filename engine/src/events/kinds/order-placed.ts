import { z } from "zod";
import { orderLineSchema } from "../order-lines.ts";
import { defineKind } from "./kind.ts";

/** Its id is the order's id. */
export const orderPlaced = defineKind({
  name: "order.placed.v1",
  label: { en: "Order", ms: "Pesanan" },
  inVisit: true,
  body: z.strictObject({
    lines: z.array(orderLineSchema).min(1).max(200),
    /** Sum over the lines in sen, as shown to the customer. */
    totalSen: z.int().min(0),
    /** The store's credit limit in sen as the rep saw it, null where none was known. */
    creditLimitSen: z.int().min(0).nullable(),
    deliverOn: z.iso.date().nullable(),
    note: z.string().max(1_000),
  }),
  golden: {
    lines: [{ sku: "1047", quantity: 12, unit: "1kg", unitPriceSen: 1_290, scheme: null }],
    totalSen: 15_480,
    creditLimitSen: 500_000,
    deliverOn: null,
    note: "",
  },
});
