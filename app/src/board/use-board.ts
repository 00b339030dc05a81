import { useEffect, useState } from "react";
import { useIdentity } from "../session/identity-context.ts";
import { applyDelta, type BoardDelta, type BoardState } from "./board-state.ts";
import { followFeed } from "./live-feed.ts";

/** What the screen knows of the board: never numbers without saying how old they are. */
export interface Board {
  readonly board: BoardState | null;
  readonly live: boolean;
  /** RFC 3339 UTC of the last word from the relay; null before the first. */
  readonly heardAt: string | null;
  /** HTTP status of a refusal, 0 for a lost connection, null while all is well. */
  readonly trouble: number | null;
  /** Counts up with every change, so that lists beside the board know when to ask again. */
  readonly changes: number;
}

export function useBoard(name: string): Board {
  const { relay, token } = useIdentity();
  const [state, setState] = useState<Board>({ board: null, live: false, heardAt: null, trouble: null, changes: 0 });
  useEffect(
    () =>
      followFeed(`${relay}/v1/boards/${name}/live`, token, {
        connected: () => setState((before) => ({ ...before, live: true, trouble: null })),
        lost: (status) => setState((before) => ({ ...before, live: false, trouble: status })),
        event: ({ event, data }) =>
          setState((before) => {
            const heard = { ...before, heardAt: new Date().toISOString(), changes: before.changes + 1 };
            if (event === "snapshot") return { ...heard, board: data as BoardState };
            if (event === "delta" && before.board !== null) {
              return { ...heard, board: applyDelta(before.board, data as BoardDelta) };
            }
            return heard;
          }),
      }),
    [relay, token, name],
  );
  return state;
}
