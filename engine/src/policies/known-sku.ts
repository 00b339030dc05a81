import { goodBySku } from "../reference/goods.ts";
import { orderPolicy } from "./order-in-event.ts";
import { fail, packMissing, pass } from "./policy.ts";

/** Every line names a good of the price list that the rep saw, in the unit in which it is sold. */
export const knownSku = orderPolicy({
  name: "known-sku",
  version: 1,
  label: { en: "Known goods", ms: "Barangan dikenali" },
  judgeOrder: (order, event, { pack }) => {
    if (pack === null) return packMissing(event);
    const unknown = order.lines.filter(({ sku }) => goodBySku(pack, sku) === undefined).map(({ sku }) => sku);
    if (unknown.length > 0) {
      return fail(
        { pack: pack.number, unknown },
        `Not in price list ${pack.number}: SKU ${unknown.join(", ")}.`,
        `Tiada dalam senarai harga ${pack.number}: SKU ${unknown.join(", ")}.`,
      );
    }
    const wrongUnit = order.lines
      .map(({ sku, unit }) => ({ sku, unit, sold: goodBySku(pack, sku)?.unit }))
      .filter(({ unit, sold }) => unit !== sold);
    const first = wrongUnit[0];
    if (first !== undefined) {
      return fail(
        { pack: pack.number, wrongUnit },
        `SKU ${first.sku} is sold by "${first.sold}", the order says "${first.unit}".`,
        `SKU ${first.sku} dijual dalam unit "${first.sold}", pesanan menyatakan "${first.unit}".`,
      );
    }
    return pass(
      { pack: pack.number, lines: order.lines.length },
      "All goods and units are in the price list.",
      "Semua barangan dan unit ada dalam senarai harga.",
    );
  },
});
