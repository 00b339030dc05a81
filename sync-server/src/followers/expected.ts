import type { DatabaseSync } from "node:sqlite";
import type { Masters, PlannedStop } from "./masters.ts";

/** What a day expects of one person, by plan, leave, holidays and attendance. */
export interface Expected {
  readonly planned: readonly PlannedStop[];
  /** Planned stops at whose store no check-in of the day is here. */
  readonly unvisited: readonly PlannedStop[];
  readonly onLeave: boolean;
  /** Whether the person should be at work: stops are still open, or the day was begun; and it was not ended. */
  readonly isExpected: boolean;
  readonly hasEnded: boolean;
}

export const nothingExpected: Expected = {
  planned: [],
  unvisited: [],
  onLeave: false,
  isExpected: false,
  hasEnded: false,
};

/** By person's code: everybody who has a stop on that day, or began it. */
export function expectedToday(db: DatabaseSync, masters: Masters, day: string): ReadonlyMap<string, Expected> {
  const stops = Map.groupBy(masters.stopsOn(day), ({ rep }) => rep);
  const isHoliday = masters.newestPack()?.holidays.some(({ date }) => date === day) === true;
  const leave = db.prepare("select 1 from leave where rep = ? and from_day <= ? and to_day >= ? limit 1");
  const last = db.prepare("select started from attendance where rep = ? and day = ? order by at desc, id desc limit 1");
  const visited = db.prepare("select store from today_visit where day = ? and rep = ?");
  const begun = db.prepare("select distinct rep from attendance where day = ?").all(day) as { rep: string }[];
  const reps = new Set([...stops.keys(), ...begun.map(({ rep }) => rep)]);
  return new Map(
    [...reps].map((rep) => {
      const planned = stops.get(rep) ?? [];
      const stores = new Set((visited.all(day, rep) as { store: string | null }[]).map(({ store }) => store));
      const unvisited = planned.filter(({ store }) => !stores.has(store));
      const onLeave = leave.get(rep, day, day) !== undefined;
      const attendance = last.get(rep, day) as { started: number } | undefined;
      const isExpected =
        attendance === undefined ? unvisited.length > 0 && !onLeave && !isHoliday : attendance.started === 1;
      return [rep, { planned, unvisited, onLeave, isExpected, hasEnded: attendance?.started === 0 }];
    }),
  );
}
