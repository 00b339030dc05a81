import { dayIn, msFromUtc } from "../core/clock.ts";
import { ringgit } from "../core/money.ts";
import type { OrderLine } from "../events/order-lines.ts";
import { goodBySku } from "../reference/goods.ts";
import type { Pack } from "../reference/pack.ts";
import { schemesOf } from "../reference/prices.ts";
import { orderPolicy } from "./order-in-event.ts";
import { fail, packMissing, pass, type Sentence } from "./policy.ts";

/**
 * Every unit price is the list price, or the price of the scheme that the line names, which runs on that day and whose
 * quantity is reached. Goods that the list does not hold are another rule's business.
 */
export const priceInList = orderPolicy({
  name: "price-in-list",
  version: 1,
  label: { en: "Price in list", ms: "Harga dalam senarai" },
  judgeOrder: (order, event, { pack }) => {
    if (pack === null) return packMissing(event);
    const day = dayIn(msFromUtc(event.at), pack.zone);
    const wrong = order.lines.flatMap((line) => {
      const problem = problemOf(pack, line, day);
      return problem === null ? [] : [{ line, problem }];
    });
    const first = wrong[0];
    if (first === undefined) {
      return pass(
        { pack: pack.number, day },
        "All prices are those of the price list and its schemes.",
        "Semua harga sama dengan senarai harga dan skim.",
      );
    }
    const inputs = {
      pack: pack.number,
      day,
      lines: wrong.map(({ line }) => ({
        sku: line.sku,
        quantity: line.quantity,
        unitPriceSen: line.unitPriceSen,
        scheme: line.scheme,
        listPriceSen: goodBySku(pack, line.sku)?.priceSen ?? null,
      })),
    };
    return fail(inputs, first.problem.en, first.problem.ms);
  },
});

function problemOf(pack: Pack, line: OrderLine, day: string): Sentence | null {
  const good = goodBySku(pack, line.sku);
  if (good === undefined) return null;
  const asked = ringgit(line.unitPriceSen);
  if (line.scheme === null) {
    if (line.unitPriceSen === good.priceSen) return null;
    const list = ringgit(good.priceSen);
    return {
      en: `${good.name}: the order says ${asked}, price list ${pack.number} says ${list}.`,
      ms: `${good.name}: pesanan menyatakan ${asked}, senarai harga ${pack.number} menyatakan ${list}.`,
    };
  }
  const scheme = schemesOf(pack, line.sku, day).find((candidate) => candidate.scheme === line.scheme);
  if (scheme === undefined) {
    return {
      en: `${good.name}: scheme ${line.scheme} does not run for it on ${day}.`,
      ms: `${good.name}: skim ${line.scheme} tidak berjalan untuknya pada ${day}.`,
    };
  }
  if (line.quantity < scheme.fromQuantity) {
    return {
      en: `${good.name}: scheme ${line.scheme} starts at ${scheme.fromQuantity} units, the order has ${line.quantity}.`,
      ms: `${good.name}: skim ${line.scheme} bermula pada ${scheme.fromQuantity} unit, pesanan ada ${line.quantity}.`,
    };
  }
  if (line.unitPriceSen === scheme.unitPriceSen) return null;
  const due = ringgit(scheme.unitPriceSen);
  return {
    en: `${good.name}: the order says ${asked}, scheme ${line.scheme} says ${due}.`,
    ms: `${good.name}: pesanan menyatakan ${asked}, skim ${line.scheme} menyatakan ${due}.`,
  };
}
