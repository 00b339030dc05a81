import { eventKinds, type CapturedFact, type EventBody } from "@sampai/engine";

/** One visit as this phone captured it: its facts, and what they say together. Times in RFC 3339 UTC. */
export interface Visit {
  readonly id: string;
  readonly store: string;
  readonly plan: string | null;
  readonly checkedInAt: string;
  readonly checkedOutAt: string | null;
  readonly outcome: EventBody<"checkOut">["outcome"] | null;
  readonly facts: readonly CapturedFact[];
}

export function isKind(fact: CapturedFact, kind: keyof typeof eventKinds): boolean {
  return fact.envelope.kind === eventKinds[kind].name;
}

export function bodyOf<K extends keyof typeof eventKinds>(fact: CapturedFact, _kind: K): EventBody<K> {
  return fact.envelope.body as EventBody<K>;
}

/** The visits in the order of their check-ins. Facts of a visit whose check-in is no longer kept here are left out. */
export function visitsOf(facts: readonly CapturedFact[]): readonly Visit[] {
  const byVisit = new Map<string, CapturedFact[]>();
  for (const fact of facts) {
    const { visit } = fact.envelope;
    if (visit === null) continue;
    const together = byVisit.get(visit);
    if (together === undefined) byVisit.set(visit, [fact]);
    else together.push(fact);
  }
  const visits: Visit[] = [];
  for (const [id, together] of byVisit) {
    const start = together.find((fact) => isKind(fact, "checkIn"));
    if (start === undefined || start.envelope.store === null) continue;
    const end = together.find((fact) => isKind(fact, "checkOut"));
    visits.push({
      id,
      store: start.envelope.store,
      plan: bodyOf(start, "checkIn").plan,
      checkedInAt: start.envelope.at,
      checkedOutAt: end?.envelope.at ?? null,
      outcome: end === undefined ? null : bodyOf(end, "checkOut").outcome,
      facts: together,
    });
  }
  return visits;
}

/** The visit that was begun and not ended: a rep stands in one store at a time. The latest one, where there are more. */
export function openVisit(visits: readonly Visit[]): Visit | null {
  return visits.findLast((visit) => visit.checkedOutAt === null) ?? null;
}
