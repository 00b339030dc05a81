import type { Followers } from "../followers/start.ts";
import type { Board, BoardDelta, BoardSnapshot } from "./board.ts";
import { deltaBetween } from "./board.ts";

/** One message of a live feed. `id` names a state of the board as this scope sees it, since this process started. */
export interface LiveMessage {
  readonly id: string;
  readonly event: "snapshot" | "delta";
  readonly data: BoardSnapshot | BoardDelta;
}

/** What readers of one board with the same territories see: the last snapshot, and the deltas that led to it. */
export interface LiveBoard {
  /**
   * Calls `receive` with what brings a reader from `lastId` to now (the deltas since, or a snapshot where they are not
   * known any more), then with every delta. Answers the function that ends it, or null while followers do not answer.
   */
  join(lastId: string | null, receive: (message: LiveMessage) => void): Promise<(() => void) | null>;
  readers(): number;
}

/** Deltas kept for readers that come back. */
const KEPT = 500;

export function createLiveBoard(
  board: Board,
  territories: readonly string[],
  followers: Followers,
  epoch: string,
): LiveBoard {
  let current: BoardSnapshot | null = null;
  let number = 0;
  let refreshing: Promise<void> | null = null;
  let isStale = true;
  let stop: (() => void) | null = null;
  const deltas: { readonly number: number; readonly delta: BoardDelta }[] = [];
  const readers = new Set<(message: LiveMessage) => void>();
  const idOf = (n: number) => `${epoch}-${n}`;

  // One question at a time; what changes meanwhile is asked for afterwards.
  const refresh = (): Promise<void> => {
    isStale = true;
    refreshing ??= (async () => {
      while (isStale) {
        isStale = false;
        const answer = await followers.ask("board", { name: board.board });
        if (!answer.ok || answer.value === null) return;
        take(board.scoped(answer.value, territories));
      }
    })().finally(() => {
      refreshing = null;
    });
    return refreshing;
  };
  const take = (next: BoardSnapshot) => {
    const before = current;
    current = next;
    if (before === null) return;
    const delta = deltaBetween(before, next);
    if (delta === null) return;
    number += 1;
    deltas.push({ number, delta });
    if (deltas.length > KEPT) deltas.shift();
    for (const receive of readers) receive({ id: idOf(number), event: "delta", data: delta });
  };
  /** The deltas after `lastId`, or null where they do not lead to now from there. */
  const since = (lastId: string | null): typeof deltas | null => {
    const match = /^(.+)-(\d{1,15})$/.exec(lastId ?? "");
    if (match === null || match[1] !== epoch) return null;
    const known = Number(match[2]);
    if (known > number || number - known > deltas.length) return null;
    return deltas.filter((entry) => entry.number > known);
  };
  return {
    join: async (lastId, receive) => {
      stop ??= followers.onChanged((topics) => {
        if (topics.includes(board.name)) void refresh();
      });
      await refresh();
      if (current === null) return null;
      const missed = since(lastId);
      if (missed === null) receive({ id: idOf(number), event: "snapshot", data: current });
      else for (const entry of missed) receive({ id: idOf(entry.number), event: "delta", data: entry.delta });
      readers.add(receive);
      return () => {
        readers.delete(receive);
        if (readers.size > 0) return;
        stop?.();
        stop = null;
      };
    },
    readers: () => readers.size,
  };
}
