import type { Refusal, RefusalCode } from "../wire/index.ts";
import type { PhotoWait } from "./photos.ts";

/**
 * What the lane does about a refusal. `at-hq`: the relay has it already. `again`: from the first byte, after a pause.
 * `wait`: the same upload goes on later, `lane` says whether every photo waits with it. `stop`: not before the next
 * contact. `never`: this part is refused for good.
 */
export type RefusalPlan =
  | { readonly plan: "at-hq" | "again" | "stop" | "never" }
  | { readonly plan: "wait"; readonly waitsFor: PhotoWait; readonly lane: boolean; readonly delayMs: number };

const never: ReadonlySet<RefusalCode> = new Set<RefusalCode>(["photo.owner", "photo.size", "photo.type"]);

export function refusalPlan(refusal: Refusal, retryAfterMs: number | null): RefusalPlan {
  const { code } = refusal;
  if (code === "photo.exists") return { plan: "at-hq" };
  if (code === "photo.hash") return { plan: "again" };
  if (never.has(code)) return { plan: "never" };
  if (code.startsWith("auth.")) return { plan: "stop" };
  // The event was not placed yet, or was placed and its term is gone: the facts lane settles it first.
  if (code === "photo.unknown") return { plan: "wait", waitsFor: "event", lane: false, delayMs: retryAfterMs ?? 5_000 };
  if (code === "photo.offset") return { plan: "wait", waitsFor: "relay", lane: false, delayMs: 200 };
  if (code === "photo.quota")
    return { plan: "wait", waitsFor: "quota", lane: true, delayMs: retryAfterMs ?? 3_600_000 };
  return { plan: "wait", waitsFor: "relay", lane: true, delayMs: retryAfterMs ?? 30_000 };
}
