import type { z } from "zod";
import type { Envelope } from "../events/event.ts";
import { orderAmended } from "../events/kinds/order-amended.ts";
import { orderPlaced } from "../events/kinds/order-placed.ts";
import type { OrderLine } from "../events/order-lines.ts";
import type { Judgement, Policy, PolicyContext } from "./policy.ts";
import { notChecked } from "./policy.ts";

/** What an order's rules look at, whether it was placed or amended. */
export interface OrderInEvent {
  readonly lines: readonly OrderLine[];
  readonly totalSen: number;
  /** As the rep saw it; undefined for an amendment, which states none. */
  readonly creditLimitSen: number | null | undefined;
}

const isOrder = (event: Envelope) => event.kind === orderPlaced.name || event.kind === orderAmended.name;

/** A rule over the lines and total of an order. A body that does not fit its kind is another rule's business. */
export function orderPolicy(
  rule: Pick<Policy, "name" | "version" | "label"> & {
    readonly judgeOrder: (order: OrderInEvent, event: Envelope, context: PolicyContext) => Judgement;
  },
): Policy {
  const { name, version, label, judgeOrder } = rule;
  return {
    name,
    version,
    label,
    applies: isOrder,
    judge: (event, context) => {
      const order = readOrder(event);
      if (order === null) {
        return notChecked({ en: "the order cannot be read", ms: "pesanan tidak dapat dibaca" });
      }
      return judgeOrder(order, event, context);
    },
  };
}

function readOrder(event: Envelope): OrderInEvent | null {
  const kind = event.kind === orderPlaced.name ? orderPlaced : orderAmended;
  const parsed = kind.body.safeParse(event.body);
  if (!parsed.success) return null;
  const body: z.infer<typeof orderPlaced.body> | z.infer<typeof orderAmended.body> = parsed.data;
  const creditLimitSen = "creditLimitSen" in body ? body.creditLimitSen : undefined;
  return { lines: body.lines, totalSen: body.totalSen, creditLimitSen };
}
