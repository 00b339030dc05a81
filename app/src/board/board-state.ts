import { z } from "zod";

// What the relay answers is read against these shapes: a newer relay may say more, one that says less is told as such.

const count = z.number();
const utc = z.string().nullable();

/** How far one person's figures can be believed, as the relay states it. Times RFC 3339 UTC. */
export const completenessSchema = z.object({
  standing: z.enum(["all-in", "owing", "silent", "off"]),
  completeTo: utc,
  /** Null: this person's devices have never said what they hold. */
  owedEvents: count.nullable(),
  owedOrders: count.nullable(),
  owedPhotos: count,
  received: count,
  declared: count.nullable(),
  heardAt: utc,
  oldestUnsentAt: utc,
});
export type Completeness = z.infer<typeof completenessSchema>;

/** Planned stops. Only `notVisited` says that nobody was there; `owed` and `unknown` say that HQ cannot tell. */
const stopsSchema = z.object({ planned: count, visited: count, notVisited: count, owed: count, unknown: count });

const figures = { visits: count, orders: count, valueSen: count, heldOrders: count, heldValueSen: count };

const repRowSchema = z.object({
  key: z.string(),
  name: z.string(),
  onLeave: z.boolean(),
  ...figures,
  stops: stopsSchema,
  completeness: completenessSchema,
});
export type RepRow = z.infer<typeof repRowSchema>;

const boardTopSchema = z.object({
  day: z.string(),
  completeTo: utc,
  owing: z.object({ reps: count, events: count, orders: count, photos: count }),
  silent: z.object({ reps: count, since: utc, codes: z.array(z.string()) }),
  allIn: count,
  ...figures,
  stops: stopsSchema,
});
export type BoardTop = z.infer<typeof boardTopSchema>;

/** The board as it stands in this browser. */
export const boardStateSchema = z.object({ top: boardTopSchema, rows: z.array(repRowSchema) });
export type BoardState = z.infer<typeof boardStateSchema>;

export const boardDeltaSchema = z.object({
  top: boardTopSchema.nullable(),
  put: z.array(repRowSchema),
  gone: z.array(z.string()),
});
export type BoardDelta = z.infer<typeof boardDeltaSchema>;

/** The board after a change: rows keep their order by key. */
export function applyDelta(board: BoardState, { top, put, gone }: BoardDelta): BoardState {
  const rows = new Map(board.rows.map((row) => [row.key, row]));
  for (const key of gone) rows.delete(key);
  for (const row of put) rows.set(row.key, row);
  return { top: top ?? board.top, rows: [...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

const urgency = { owing: 0, silent: 1, "all-in": 2, off: 4 } as const;

/** A phone that was never heard at all is not news: it stands behind those at work. */
const rankOf = ({ completeness: { standing, heardAt } }: RepRow) =>
  standing === "silent" && heardAt === null ? 3 : urgency[standing];

/** Those first about whom something is owed or has fallen silent, the longest waiting before the others. */
export function byUrgency(rows: readonly RepRow[]): readonly RepRow[] {
  return rows.toSorted((a, b) => {
    const order = rankOf(a) - rankOf(b);
    if (order !== 0) return order;
    const [left, right] = [a.completeness.oldestUnsentAt ?? "~", b.completeness.oldestUnsentAt ?? "~"];
    return left < right ? -1 : left > right ? 1 : a.name < b.name ? -1 : 1;
  });
}
