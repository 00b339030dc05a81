import { changed } from "./changed.ts";
import { changes } from "./changes.ts";
import { coldSync } from "./cold-sync.ts";
import { drain } from "./drain.ts";
import { fanOut } from "./fan-out.ts";
import { memory } from "./memory.ts";
import { verify } from "./verify.ts";
import type { Bench } from "./measure.ts";
import { orders } from "./orders.ts";
import { reconnect } from "./reconnect.ts";
import { refusals } from "./refusals.ts";
import { start } from "./start.ts";
import { storm } from "./storm.ts";

/** Every bench there is, by the word one types. */
export const benches: Readonly<Record<string, Bench>> = {
  drain,
  orders,
  reconnect,
  changed,
  "cold-sync": coldSync,
  start,
  "fan-out": fanOut,
  changes,
  storm,
  memory,
  verify,
  refusals,
};
