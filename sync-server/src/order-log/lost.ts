import type { TermLog } from "./term-log.ts";
import { lostRanges, termSpans, type LostRange, type TermSpan } from "./terms.ts";

/** What became of a position that a restore took away. */
export interface LostPosition {
  readonly position: number;
  /** `back`: a device offered it again, it is at `now`. `named`: a device holds its receipt, the event is not here yet. */
  readonly state: "back" | "named" | "nobody";
  readonly now: number | null;
  readonly device: string | null;
}

/** A term that was once larger, with what came back of it. */
export interface LostTerm extends LostRange {
  readonly back: number;
  readonly named: number;
  readonly nobody: number;
  /** Those that are not back. */
  readonly missing: readonly LostPosition[];
}

export interface TermReport {
  readonly current: string;
  readonly terms: readonly TermSpan[];
  readonly lost: readonly LostTerm[];
}

/** Lists more positions than this as a number only. */
const LISTED = 10_000;

/** Every term of the log, and of each that was cut short what came back and what did not. */
export function termReport(log: TermLog): TermReport {
  const terms = termSpans(log);
  const lost = lostRanges(log).map((row) => {
    const byPosition = new Map(log.voided(row.term, row.from).map((one) => [one.position, one]));
    const missing: LostPosition[] = [];
    let back = 0;
    let onTheWay = 0;
    for (let position = row.from; position < row.until; position += 1) {
      const one = byPosition.get(position);
      if (one !== undefined && one.now !== null) {
        back += 1;
        continue;
      }
      if (one !== undefined) onTheWay += 1;
      if (missing.length < LISTED) {
        missing.push({
          position,
          state: one === undefined ? "nobody" : "named",
          now: null,
          device: one?.device ?? null,
        });
      }
    }
    return { ...row, back, named: onTheWay, nobody: Math.max(0, row.until - row.from) - back - onTheWay, missing };
  });
  return { current: terms.at(-1)?.term ?? "", terms, lost };
}
