import type { Good, OrderLine, Pack } from "@sampai/engine";

/** What the form holds while an order is being written: SKU → quantity. */
export type Basket = Readonly<Record<string, number>>;

/** What one unit costs at this quantity on this day: the list price, or the cheapest scheme whose terms are met. */
export function priceOf(
  pack: Pack,
  good: Good,
  quantity: number,
  day: string,
): { readonly unitPriceSen: number; readonly scheme: string | null } {
  let best: { unitPriceSen: number; scheme: string | null } = { unitPriceSen: good.priceSen, scheme: null };
  for (const scheme of pack.schemes) {
    const applies =
      scheme.sku === good.sku && quantity >= scheme.fromQuantity && scheme.from <= day && day <= scheme.to;
    if (applies && scheme.unitPriceSen < best.unitPriceSen) {
      best = { unitPriceSen: scheme.unitPriceSen, scheme: scheme.scheme };
    }
  }
  return best;
}

/** The schemes that could still lower this good's price on that day, fewest units first. */
export function schemesFor(pack: Pack, sku: string, day: string) {
  return pack.schemes
    .filter((scheme) => scheme.sku === sku && scheme.from <= day && day <= scheme.to)
    .sort((a, b) => a.fromQuantity - b.fromQuantity);
}

/** The order's lines in the catalogue's order. Goods that are no longer in the pack are left out. */
export function linesOf(pack: Pack, basket: Basket, day: string): readonly OrderLine[] {
  return pack.goods.flatMap((good) => {
    const quantity = basket[good.sku] ?? 0;
    if (quantity < 1) return [];
    return { sku: good.sku, quantity, unit: good.unit, ...priceOf(pack, good, quantity, day) };
  });
}

/** Goods whose name, code, group or category holds every word that was typed. */
export function searchGoods(pack: Pack, text: string, category: string | null): readonly Good[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return pack.goods.filter((good) => {
    if (category !== null && good.category !== category) return false;
    const haystack = `${good.name} ${good.sku} ${good.group} ${good.category}`.toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}
