/** How far one person's figures can be believed, as the relay states it. Times RFC 3339 UTC. */
export interface Completeness {
  readonly standing: "all-in" | "owing" | "silent" | "off";
  readonly completeTo: string | null;
  /** Null: this person's devices have never said what they hold. */
  readonly owedEvents: number | null;
  readonly owedOrders: number | null;
  readonly owedPhotos: number;
  readonly received: number;
  readonly declared: number | null;
  readonly heardAt: string | null;
  readonly oldestUnsentAt: string | null;
}

/** Planned stops. Only `notVisited` says that nobody was there; `owed` and `unknown` say that HQ cannot tell. */
export interface Stops {
  readonly planned: number;
  readonly visited: number;
  readonly notVisited: number;
  readonly owed: number;
  readonly unknown: number;
}

export interface RepRow {
  readonly key: string;
  readonly name: string;
  readonly onLeave: boolean;
  readonly visits: number;
  readonly orders: number;
  readonly valueSen: number;
  readonly heldOrders: number;
  readonly heldValueSen: number;
  readonly stops: Stops;
  readonly completeness: Completeness;
}

export interface BoardTop {
  readonly day: string;
  readonly completeTo: string | null;
  readonly owing: { readonly reps: number; readonly events: number; readonly orders: number; readonly photos: number };
  readonly silent: { readonly reps: number; readonly since: string | null; readonly codes: readonly string[] };
  readonly allIn: number;
  readonly visits: number;
  readonly orders: number;
  readonly valueSen: number;
  readonly heldOrders: number;
  readonly heldValueSen: number;
  readonly stops: Stops;
}

/** The board as it stands in this browser. */
export interface BoardState {
  readonly top: BoardTop;
  readonly rows: readonly RepRow[];
}

export interface BoardDelta {
  readonly top: BoardTop | null;
  readonly put: readonly RepRow[];
  readonly gone: readonly string[];
}

/** The board after a change: rows keep their order by key. */
export function applyDelta(board: BoardState, { top, put, gone }: BoardDelta): BoardState {
  const rows = new Map(board.rows.map((row) => [row.key, row]));
  for (const key of gone) rows.delete(key);
  for (const row of put) rows.set(row.key, row);
  return { top: top ?? board.top, rows: [...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

const urgency = { silent: 0, owing: 1, "all-in": 2, off: 3 } as const;

/** Those about whom something is owed or unknown first, the longest waiting before the others. */
export function byUrgency(rows: readonly RepRow[]): readonly RepRow[] {
  return rows.toSorted((a, b) => {
    const order = urgency[a.completeness.standing] - urgency[b.completeness.standing];
    if (order !== 0) return order;
    const [left, right] = [a.completeness.oldestUnsentAt ?? "~", b.completeness.oldestUnsentAt ?? "~"];
    return left < right ? -1 : left > right ? 1 : a.name < b.name ? -1 : 1;
  });
}
