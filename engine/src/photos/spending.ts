import type { NetworkKind } from "../core/network.ts";
import type { DayMeter } from "../outbox/meter.ts";
import type { PhotoBudget } from "./photos.ts";
import type { PhotoPolicy } from "./photo-policy.ts";
import type { PhotoPart } from "./channel.ts";

/** Originals leave this share of the day's mobile budget to previews, which are what HQ looks at first. */
const ORIGINALS_SHARE = 0.9;

/** Where the day's mobile budget stands. Only photos count against it: facts and documents have no budget to use up. */
export function photoBudget(meter: Pick<DayMeter, "laneBytes">, policy: PhotoPolicy): PhotoBudget {
  return { usedBytes: meter.laneBytes("mobile", "photos"), allowedBytes: policy.mobileBytesPerDay };
}

/** Whether a piece of this size still fits the day's mobile budget. Off mobile data there is none. */
export function fitsBudget(budget: PhotoBudget, network: NetworkKind, part: PhotoPart, bytes: number): boolean {
  if (network !== "mobile") return true;
  return budget.usedBytes + bytes <= budget.allowedBytes * (part === "original" ? ORIGINALS_SHARE : 1);
}
