import { dayIn } from "@sampai/engine/core";
import { readDebts } from "../followers/debts.ts";
import { expectedToday, nothingExpected } from "../followers/expected.ts";
import type { Board, BoardRow, BoardSnapshot } from "./board.ts";
import { completenessOf, topLine, type Completeness } from "./completeness.ts";
import { figures, noFigures, readFigures, type RepFigures } from "./today-figures.ts";

/** One person's day: figures, how far they can be believed, and what became of each planned stop. */
export interface TodayRow extends BoardRow, Readonly<Omit<RepFigures, "stores">> {
  readonly name: string;
  readonly onLeave: boolean;
  readonly stops: Stops;
  readonly completeness: Completeness;
}

/** Planned stops. Only `notVisited` says that nobody was there; `owed` and `unknown` say that HQ cannot tell. */
export interface Stops {
  readonly planned: number;
  readonly visited: number;
  readonly notVisited: number;
  /** The phone owes facts: the visit may be among them. */
  readonly owed: number;
  /** The person's phone is not heard now: nothing is known. */
  readonly unknown: number;
}

/** Visits, orders and value of the workspace's day by person, and how complete that is. */
export const today: Board = {
  name: "board:today",
  board: "today",
  version: 2,
  stream: "log",
  ...figures,
  snapshot: ({ db, relay, masters, nowMs, zone, connected, longestSilenceMs }) => {
    const day = dayIn(nowMs, zone);
    const byRep = readFigures(db, day);
    const debts = Map.groupBy(readDebts(relay, db), ({ person }) => person);
    const expected = expectedToday(db, masters, day);
    const received = db.prepare("select count(*) as count from device_event where day = ? and rep = ?");
    const people = new Map(masters.people().map((person) => [person.code, person]));
    const reps = new Set([
      ...[...people.values()].filter(({ role }) => role === "rep").map(({ code }) => code),
      ...byRep.keys(),
      ...expected.keys(),
    ]);
    const rows = [...reps].toSorted().map((code): TodayRow => {
      const { stores, ...shown } = byRep.get(code) ?? noFigures();
      const { planned, unvisited, isExpected, onLeave, hasEnded } = expected.get(code) ?? nothingExpected;
      const completeness = completenessOf({
        debts: debts.get(code) ?? [],
        connected,
        longestSilenceMs,
        expected: isExpected,
        received: (received.get(day, code) as { count: number }).count,
        nowMs,
      });
      return {
        key: code,
        name: people.get(code)?.name ?? code,
        territories: people.get(code)?.territories ?? [],
        ...shown,
        storesVisited: stores.size,
        onLeave,
        stops: {
          planned: planned.length,
          visited: planned.length - unvisited.length,
          ...unseen(unvisited.length, completeness, hasEnded),
        },
        completeness,
      };
    });
    return { board: "today", top: topOf(rows, day, zone), rows };
  },
  scoped: (snapshot, territories) => {
    if (territories.includes("*")) return snapshot;
    const rows = snapshot.rows.filter((row) => row.territories.some((code) => territories.includes(code)));
    const { day, zone } = snapshot.top as { day: string; zone: string };
    return { ...snapshot, top: topOf(rows as unknown as readonly TodayRow[], day, zone), rows };
  },
};

/** That nobody was there can only be said of a phone that is heard now, or whose person has ended the day. */
function unseen(count: number, { standing, owedEvents, isCurrent }: Completeness, hasEnded: boolean) {
  const none = { notVisited: 0, owed: 0, unknown: 0 };
  if (standing === "silent" || owedEvents === null) return { ...none, unknown: count };
  if (owedEvents > 0) return { ...none, owed: count };
  return isCurrent || hasEnded ? { ...none, notVisited: count } : { ...none, unknown: count };
}

function topOf(rows: readonly TodayRow[], day: string, zone: string): BoardSnapshot["top"] {
  const total = (of: (row: TodayRow) => number) => rows.reduce((sum, row) => sum + of(row), 0);
  return {
    day,
    zone,
    ...topLine(rows, zone),
    visits: total(({ visits }) => visits),
    orders: total(({ orders }) => orders),
    valueSen: total(({ valueSen }) => valueSen),
    heldOrders: total(({ heldOrders }) => heldOrders),
    heldValueSen: total(({ heldValueSen }) => heldValueSen),
    unreadable: total(({ unreadable }) => unreadable),
    stops: {
      planned: total(({ stops }) => stops.planned),
      visited: total(({ stops }) => stops.visited),
      notVisited: total(({ stops }) => stops.notVisited),
      owed: total(({ stops }) => stops.owed),
      unknown: total(({ stops }) => stops.unknown),
    },
  };
}
