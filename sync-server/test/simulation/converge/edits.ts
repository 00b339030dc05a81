import type { DocumentKind, FieldEdit } from "@sampai/engine";
import type { Role } from "@sampai/engine/wire";
import type { Seeded } from "../../../../engine/test/seeded.ts";

export const TERRITORIES = ["T1", "T2", "T3", "T4"];
const SKUS = ["1047", "2210", "88-A"];

/** One edit that an honest app would let this role make. `text` is the length of the notes as they stand. */
export function randomEdit(random: Seeded, kind: DocumentKind, role: Role, text: number): FieldEdit {
  const word = `w${random.below(1_000_000)}`;
  const at = random.below(text + 1);
  const both: (() => FieldEdit)[] = [
    () => ({ field: "notes", at, remove: Math.min(text - at, random.below(4)), insert: `${word} ` }),
    () => ({ field: "tags", key: random.pick(["hot", "new", "far"]), set: random.pick([true, null]) }),
  ];
  const edits: Record<DocumentKind, (() => FieldEdit)[]> = {
    store: [
      ...both,
      () => ({ field: "name", set: word }),
      () => ({ field: "town", set: word }),
      () => ({ field: "channel", set: word }),
      () => ({ field: "registrationNumber", set: word }),
      () => ({ field: "status", set: random.pick(["prospect", "active", "dormant", null]) }),
      () => ({ field: "knownSince", set: `20${10 + random.below(15)}-0${1 + random.below(9)}-11` }),
      () => ({ field: "lastVisitAt", set: `2026-11-${10 + random.below(20)}T0${random.below(10)}:00:00Z` }),
      () => ({ field: "visitCount", increment: 1 + random.below(3) }),
      () => ({ field: "priceSen", key: random.pick(SKUS), set: random.below(100_000) }),
      () => ({ field: "facings", key: random.pick(SKUS), set: random.pick([1, 2, 3, null]) }),
      () => ({ field: "answers", key: `audit/q${random.below(3)}`, set: word }),
      ...(role === "rep"
        ? []
        : [
            () => ({ field: "creditLimitSen", set: random.below(900) * 10_000 }),
            () => ({ field: "ownerRep", set: `R${random.below(14)}` }),
          ]),
    ],
    visit: [
      ...both,
      () => ({ field: "outcome", set: random.pick(["ordered", "no-order", "closed"]) }),
      () => ({ field: "comments", key: word, set: word }),
      ...(role === "rep"
        ? [() => ({ field: "state", set: "done" })]
        : [() => ({ field: "rating", set: 1 + random.below(5) }), () => ({ field: "state", set: "reviewed" })]),
    ],
    plan: [
      ...both,
      () => ({ field: "stopStore", key: `2026-11-23/${1 + random.below(4)}`, set: random.pick(["S-0", "S-1", "S-2"]) }),
      () => ({ field: "stopNote", key: `2026-11-23/${1 + random.below(4)}`, set: word }),
      () => ({ field: "stopStatus", key: `2026-11-23/${1 + random.below(4)}`, set: "planned" }),
      ...(role === "rep" ? [] : [() => ({ field: "approved", set: random.pick([true, false]) })]),
    ],
  };
  return random.pick(edits[kind])();
}
