import { ringgit } from "../core/money.ts";
import { orderPolicy } from "./order-in-event.ts";
import { fail, notChecked, pass } from "./policy.ts";

/**
 * The order is within the store's credit limit as the rep saw it. The store master at the heads that the event pins
 * decides; where it is not at hand, the limit that stands in the order does.
 */
export const creditLimit = orderPolicy({
  name: "credit-limit",
  version: 1,
  label: { en: "Credit limit", ms: "Had kredit" },
  judgeOrder: (order, _event, { store }) => {
    const stated = order.creditLimitSen;
    const { totalSen } = order;
    if (store !== null && stated !== undefined && stated !== store.creditLimitSen) {
      const said = limitText(stated);
      const master = limitText(store.creditLimitSen);
      return fail(
        { totalSen, statedSen: stated, masterSen: store.creditLimitSen },
        `The order says the credit limit was ${said.en}, the store master that the rep saw says ${master.en}.`,
        `Pesanan menyatakan had kredit ${said.ms}, rekod kedai yang dilihat menyatakan ${master.ms}.`,
      );
    }
    const limitSen = store === null ? (stated ?? null) : store.creditLimitSen;
    if (limitSen === null) {
      return notChecked({ en: "no credit limit was known", ms: "had kredit tidak diketahui" });
    }
    const inputs = { totalSen, limitSen };
    if (totalSen <= limitSen) {
      return pass(inputs, "The order is within the credit limit.", "Pesanan dalam had kredit.");
    }
    return fail(
      inputs,
      `The order of ${ringgit(totalSen)} is above the store's credit limit of ${ringgit(limitSen)}.`,
      `Pesanan ${ringgit(totalSen)} melebihi had kredit kedai ${ringgit(limitSen)}.`,
    );
  },
});

function limitText(sen: number | null) {
  return sen === null ? { en: "not known", ms: "tidak diketahui" } : { en: ringgit(sen), ms: ringgit(sen) };
}
