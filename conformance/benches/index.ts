import { drain } from "./drain.ts";
import type { Bench } from "./measure.ts";
import { orders } from "./orders.ts";

/** Every bench there is, by the word one types. */
export const benches: Readonly<Record<string, Bench>> = { drain, orders };
