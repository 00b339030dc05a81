import { goodBySku } from "./goods.ts";
import type { Pack, Scheme } from "./pack.ts";

/** What one unit costs, and why. */
export interface Price {
  /** Integer sen for one unit. */
  readonly unitPriceSen: number;
  /** The trade scheme that set the price, null for the list price. */
  readonly scheme: string | null;
  /** True where the list price was seeded for trying out: nobody published it. */
  readonly madeUp: boolean;
}

const indexes = new WeakMap<Pack, ReadonlyMap<string, readonly Scheme[]>>();

/** The schemes of a SKU that run on `day` (`YYYY-MM-DD` in the workspace's zone), smallest quantity first. */
export function schemesOf(pack: Pack, sku: string, day: string): readonly Scheme[] {
  let index = indexes.get(pack);
  if (index === undefined) {
    index = Map.groupBy(
      pack.schemes.toSorted((a, b) => a.fromQuantity - b.fromQuantity),
      (scheme) => scheme.sku,
    );
    indexes.set(pack, index);
  }
  return (index.get(sku) ?? []).filter((scheme) => scheme.from <= day && day <= scheme.to);
}

/**
 * The best price of `quantity` units on `day`: the lowest among the list price and the schemes that run and whose
 * quantity is reached. At equal prices the list price wins, then the scheme whose name comes first. Undefined for a SKU
 * that the pack does not hold.
 */
export function priceOf(pack: Pack, sku: string, quantity: number, day: string): Price | undefined {
  const good = goodBySku(pack, sku);
  if (good === undefined) return undefined;
  let best: Price = { unitPriceSen: good.priceSen, scheme: null, madeUp: good.priceMadeUp };
  for (const { scheme, unitPriceSen, fromQuantity } of schemesOf(pack, sku, day)) {
    if (quantity < fromQuantity) continue;
    const betterName = best.scheme !== null && unitPriceSen === best.unitPriceSen && scheme < best.scheme;
    if (unitPriceSen < best.unitPriceSen || betterName) best = { ...best, unitPriceSen, scheme };
  }
  return best;
}
