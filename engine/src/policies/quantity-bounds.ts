import { goodBySku } from "../reference/goods.ts";
import { orderPolicy } from "./order-in-event.ts";
import { fail, packMissing, pass } from "./policy.ts";

/** Units in one line above which a person looks, for goods whose list row sets no bound of its own. */
export const usualMaxQuantity = 1_000;

/** No line asks for more than its good's largest usual quantity, and no good stands in two lines at one price. */
export const quantityBounds = orderPolicy({
  name: "quantity-bounds",
  version: 1,
  label: { en: "Usual quantity", ms: "Kuantiti biasa" },
  judgeOrder: (order, event, { pack }) => {
    if (pack === null) return packMissing(event);
    const seen = new Set<string>();
    const twice = order.lines.find(({ sku, scheme, unit, unitPriceSen }) => {
      const key = JSON.stringify([sku, scheme, unit, unitPriceSen]);
      if (seen.has(key)) return true;
      seen.add(key);
      return false;
    });
    if (twice !== undefined) {
      return fail(
        { sku: twice.sku },
        `SKU ${twice.sku} stands in two lines at the same price: was it entered twice?`,
        `SKU ${twice.sku} ada dalam dua baris pada harga yang sama: adakah dimasukkan dua kali?`,
      );
    }
    const large = order.lines
      .map(({ sku, quantity }) => ({ sku, quantity, most: goodBySku(pack, sku)?.maxQuantity ?? usualMaxQuantity }))
      .filter(({ quantity, most }) => quantity > most);
    const first = large[0];
    if (first !== undefined) {
      return fail(
        { pack: pack.number, large },
        `SKU ${first.sku}: ${first.quantity} units are more than the usual ${first.most}.`,
        `SKU ${first.sku}: ${first.quantity} unit melebihi kebiasaan iaitu ${first.most}.`,
      );
    }
    return pass({ pack: pack.number }, "All quantities are usual.", "Semua kuantiti adalah biasa.");
  },
});
