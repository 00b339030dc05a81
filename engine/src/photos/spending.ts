import { utf8ToBytes } from "../core/hash.ts";
import type { Storage } from "../storage/storage.ts";
import type { NetworkKind } from "./network.ts";
import type { Owed } from "./owed.ts";
import type { PhotoBudget, PhotoSpending } from "./photos.ts";
import type { PhotoPolicy } from "./photo-policy.ts";
import type { PhotoPart } from "./channel.ts";

const KEY = "photos/spent";
const none = (day: string): PhotoSpending => ({ day, wifi: 0, mobile: 0, roaming: 0 });

/** Originals leave this share of the day's mobile budget to previews, which are what HQ looks at first. */
const ORIGINALS_SHARE = 0.9;

/** Counts what photos cost on each kind of network today, and says what the rest of the day may cost. */
export interface Spending {
  today(): PhotoSpending;
  add(kind: NetworkKind, bytes: number): void;
  /** Where the day's mobile budget stands. */
  budget(policy: PhotoPolicy): PhotoBudget;
  /** Whether a piece of this size still fits the day's mobile budget. Off mobile data there is none. */
  allows(kind: NetworkKind, part: PhotoPart, bytes: number, policy: PhotoPolicy): boolean;
}

export async function openSpending(storage: Storage, owed: Owed, day: () => string): Promise<Spending> {
  let spent = readSpending(await storage.get(KEY)) ?? none(day());
  const today = () => {
    const now = day();
    if (spent.day !== now) spent = none(now);
    return spent;
  };
  return {
    today,
    add: (kind, bytes) => {
      spent = { ...today(), [kind]: today()[kind] + bytes };
      owed.alongside({ key: KEY, value: utf8ToBytes(JSON.stringify(spent)) });
    },
    budget: ({ mobileBytesPerDay }) => ({ usedBytes: today().mobile, allowedBytes: mobileBytesPerDay }),
    allows: (kind, part, bytes, policy) => {
      if (kind !== "mobile") return true;
      const budget = policy.mobileBytesPerDay * (part === "original" ? ORIGINALS_SHARE : 1);
      return today().mobile + bytes <= budget;
    },
  };
}

function readSpending(value: Uint8Array | undefined): PhotoSpending | undefined {
  if (value === undefined) return undefined;
  try {
    const { day, wifi, mobile, roaming } = JSON.parse(new TextDecoder().decode(value)) as PhotoSpending;
    const counts = [wifi, mobile, roaming].every((count) => Number.isSafeInteger(count) && count >= 0);
    return typeof day === "string" && counts ? { day, wifi, mobile, roaming } : undefined;
  } catch {
    return undefined;
  }
}
