import { changed } from "./changed.ts";
import { coldSync } from "./cold-sync.ts";
import { drain } from "./drain.ts";
import { verify } from "./verify.ts";
import type { Bench } from "./measure.ts";
import { orders } from "./orders.ts";
import { reconnect } from "./reconnect.ts";
import { start } from "./start.ts";

/** Every bench there is, by the word one types. */
export const benches: Readonly<Record<string, Bench>> = {
  drain,
  orders,
  reconnect,
  changed,
  "cold-sync": coldSync,
  start,
  verify,
};
