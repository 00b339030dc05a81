import { changed } from "./changed.ts";
import { coldSync } from "./cold-sync.ts";
import { drain } from "./drain.ts";
import type { Bench } from "./measure.ts";
import { orders } from "./orders.ts";
export const benches: Readonly<Record<string, Bench>> = {
  "cold-sync": coldSync,
  changed,
  drain,
  orders,
  reconnect,
  verify,
};
