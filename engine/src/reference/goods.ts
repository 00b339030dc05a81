import type { Good, Pack } from "./pack.ts";

const indexes = new WeakMap<Pack, ReadonlyMap<string, Good>>();

/** The good that a SKU names in this pack, or undefined. */
export function goodBySku(pack: Pack, sku: string): Good | undefined {
  let index = indexes.get(pack);
  if (index === undefined) {
    index = new Map(pack.goods.map((good) => [good.sku, good]));
    indexes.set(pack, index);
  }
  return index.get(sku);
}

/** Goods whose SKU or name holds every word of `text`, in catalogue order; all of them for an empty text. */
export function searchGoods(pack: Pack, text: string): readonly Good[] {
  const words = text
    .toLocaleLowerCase("ms")
    .split(/\s+/)
    .filter((word) => word !== "");
  return pack.goods.filter((good) => {
    const name = `${good.sku} ${good.name}`.toLocaleLowerCase("ms");
    return words.every((word) => name.includes(word));
  });
}
