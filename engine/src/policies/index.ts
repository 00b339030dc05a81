import type { Envelope } from "../events/event.ts";
import type { Consequence, Pack } from "../reference/pack.ts";
import { attendance } from "./attendance.ts";
import { bodyFits } from "./body-fits.ts";
import { closedPeriod } from "./closed-period.ts";
import { creditLimit } from "./credit-limit.ts";
import { knownSku } from "./known-sku.ts";
import type { Policy, PolicyContext, Verdict } from "./policy.ts";
import { priceInList } from "./price-in-list.ts";
import { quantityBounds } from "./quantity-bounds.ts";
import { storeActive } from "./store-active.ts";
import { totalAddsUp } from "./total-adds-up.ts";
import { visitOpen } from "./visit-open.ts";

export type { Policy, PolicyContext, Sentence, StoreSeen, Verdict, VisitSeen } from "./policy.ts";

/** Every business rule, in the order in which a person reads the verdicts. */
export const policies: readonly Policy[] = [
  bodyFits,
  knownSku,
  priceInList,
  quantityBounds,
  totalAddsUp,
  creditLimit,
  visitOpen,
  storeActive,
  closedPeriod,
  attendance,
];

/** What each rule that has something to say of this event says. Never throws, whatever the body is. */
export function judgeWith(rules: readonly Policy[], event: Envelope, context: PolicyContext): readonly Verdict[] {
  return rules
    .filter((rule) => rule.applies(event))
    .map((rule) => ({ rule: rule.name, version: rule.version, ...rule.judge(event, context) }));
}

/** What a failed rule (or a detector's finding) does in this workspace; a rule that the pack does not name annotates. */
export function consequenceOf(pack: Pack | null, rule: string): Consequence {
  return pack?.rules.consequences[rule] ?? "annotate";
}
