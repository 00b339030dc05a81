import { ringgit } from "../core/money.ts";
import { orderTotalSen } from "../events/order-lines.ts";
import { orderPolicy } from "./order-in-event.ts";
import { fail, pass } from "./policy.ts";

/** The total shown to the customer is the sum of quantity × unit price. */
export const totalAddsUp = orderPolicy({
  name: "total-adds-up",
  version: 1,
  label: { en: "Total adds up", ms: "Jumlah tepat" },
  judgeOrder: (order) => {
    const sumSen = orderTotalSen(order.lines);
    const inputs = { totalSen: order.totalSen, sumSen };
    if (sumSen === order.totalSen) return pass(inputs, "The total adds up.", "Jumlah adalah tepat.");
    return fail(
      inputs,
      `The order says ${ringgit(order.totalSen)}, its lines add up to ${ringgit(sumSen)}.`,
      `Pesanan menyatakan ${ringgit(order.totalSen)}, jumlah barisnya ${ringgit(sumSen)}.`,
    );
  },
});
