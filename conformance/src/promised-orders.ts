import type { LogRow } from "./exported-log.ts";

export interface LogFigures {
  /** Promised events that the log does not hold. */
  readonly lost: number;
  /** Events that stand at more than one position. */
  readonly doubled: number;
  /** Promised events that stand elsewhere than was promised, and events that do not follow the one before in their run. */
  readonly misordered: number;
  /** Records of a restore. A crash is none. */
  readonly terms: number;
  readonly gapless: boolean;
}

/** Compares what devices were promised, as a position by event hash, with what the log holds. */
export function judgeLog(promises: ReadonlyMap<string, number>, rows: readonly LogRow[]): LogFigures {
  const positions = new Map<string, number[]>();
  const tips = new Map<string, number>();
  let misordered = 0;
  for (const { type, hash, position, device, run, seq } of rows) {
    if (type !== "event") continue;
    positions.set(hash, [...(positions.get(hash) ?? []), position]);
    const chain = `${device}/${run}`;
    if (seq !== (tips.get(chain) ?? 0) + 1) misordered += 1;
    tips.set(chain, seq);
  }
  let lost = 0;
  for (const [hash, position] of promises) {
    const held = positions.get(hash);
    if (held === undefined) lost += 1;
    else if (!held.includes(position)) misordered += 1;
  }
  return {
    lost,
    doubled: [...positions.values()].filter(({ length }) => length > 1).length,
    misordered,
    terms: rows.filter(({ type }) => type === "term").length,
    gapless: rows.every(({ position }, index) => position === index),
  };
}

/** Whether a log kept every promise, once and in order. */
export const isKept = ({ lost, doubled, misordered, terms, gapless }: LogFigures): boolean =>
  lost + doubled + misordered + terms === 0 && gapless;
