import { useEffect, useState } from "react";
import { useIdentity } from "../session/identity-context.ts";
import { applyDelta, boardDeltaSchema, boardStateSchema, type BoardState } from "./board-state.ts";
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

/** Stands where a status would: the relay answered something that this app cannot read. */
const UNREADABLE = 422;

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
            if (event === "snapshot") {
              const read = boardStateSchema.safeParse(data);
              return read.success ? { ...heard, board: read.data } : { ...heard, trouble: UNREADABLE };
            }
            if (event === "delta" && before.board !== null) {
              const read = boardDeltaSchema.safeParse(data);
              return read.success
                ? { ...heard, board: applyDelta(before.board, read.data) }
                : { ...heard, trouble: UNREADABLE };
            }
            return heard;
          }),
      }),
    [relay, token, name],
  );
  return state;
}
