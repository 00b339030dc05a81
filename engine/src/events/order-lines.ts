import { z } from "zod";

/** One line of an order: what the rep saw and agreed, inline, so that no later price list can change it. */
export const orderLineSchema = z.strictObject({
  sku: z.string().min(1).max(40),
  /** In `unit`s, at least 1. */
  quantity: z.int().min(1).max(1_000_000),
  unit: z.string().min(1).max(40),
  /** Integer sen for one unit. */
  unitPriceSen: z.int().min(0).max(1_000_000_000),
  /** The trade scheme that set the price, null for the list price. */
  scheme: z.string().max(40).nullable(),
});
export type OrderLine = z.infer<typeof orderLineSchema>;

/** Sum of quantity × unit price, in sen. */
export function orderTotalSen(lines: readonly OrderLine[]): number {
  return lines.reduce((sum, line) => sum + line.quantity * line.unitPriceSen, 0);
}
