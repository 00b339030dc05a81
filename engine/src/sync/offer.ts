import type { OwnEvent, OwnEvents } from "../events/own-events.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Tip } from "../wire/index.ts";

/** What an event follows, for every event that is known of, readable or not. Undefined: not known. */
export type PredecessorOf = (hash: string) => string | null | undefined;

/** What the relay holds by its own word: its tips and everything before them, as far as no open hole lies between. */
export function coveredBy(
  tips: readonly Pick<Tip, "hash">[],
  holes: ReadonlySet<string>,
  predecessorOf: PredecessorOf,
): Set<string> {
  const covered = new Set<string>();
  for (const tip of tips) {
    let hash: string | null = tip.hash;
    while (hash !== null && !covered.has(hash) && !holes.has(hash)) {
      const before = predecessorOf(hash);
      if (before === undefined) break;
      covered.add(hash);
      hash = before;
    }
  }
  return covered;
}

/** What is saved here and not acknowledged, as far as it can be read. */
export function owedEvents(events: OwnEvents, outbox: Outbox): OwnEvent[] {
  return [...outbox.owed().keys()].flatMap((hash) => events.byHash(hash) ?? []);
}

/** Parents first, else in the order in which they were taken down. */
export function parentsFirst(offered: readonly OwnEvent[]): OwnEvent[] {
  const left = new Map(offered.map((event) => [event.hash, event]));
  const sorted: OwnEvent[] = [];
  for (const event of [...offered].sort((a, b) => a.index - b.index)) {
    const chain: OwnEvent[] = [];
    for (
      let next = left.get(event.hash);
      next !== undefined;
      next = next.prev === null ? undefined : left.get(next.prev)
    ) {
      left.delete(next.hash);
      chain.push(next);
    }
    sorted.push(...chain.reverse());
  }
  return sorted;
}

/** The longest batch at the head of the queue: one run, one chain, within the limits; a larger single event goes alone. */
export function nextBatch(
  queue: readonly OwnEvent[],
  limits: { readonly events: number; readonly bytes: number },
): OwnEvent[] {
  const batch: OwnEvent[] = [];
  let bytes = 0;
  for (const event of queue) {
    const last = batch.at(-1);
    const follows =
      last === undefined || (event.run === last.run && event.seq === last.seq + 1 && event.prev === last.hash);
    if (!follows || batch.length >= limits.events) break;
    if (last !== undefined && bytes + event.byteLength > limits.bytes) break;
    batch.push(event);
    bytes += event.byteLength;
  }
  return batch;
}
